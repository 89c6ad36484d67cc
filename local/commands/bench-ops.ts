// `npm run bench:ops`: how fast the operations page is, and what the sweeper costs, with many open requests in the tables of a local
// stack. One request is filed as any other; its rows are copied under other ids into the file of the table service, while that is stopped.
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

import { people } from '../demo-tenant';
import { asSystem, hiddenField, signIn } from '../stack/actors';
import type { Browser } from '../stack/actors';
import { runCommand } from '../stack/command';
import { startStack } from '../stack/stack';
import type { Stack } from '../stack/stack';

const REQUESTS = 100_000;
/** Of them so many failed, and so many are of the person who is searched for. */
const FAILED = 10;
const THEIRS = 8;
const VISITS = 31;
const SEARCHES = 11;
const MINUTES = 5;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const GROUP = 'b0000000-0000-4000-8000-0000000000bb';

const say = (text: string): void => console.log(text);
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const p50 = (values: readonly number[]): number =>
  Math.round((values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0) * 10) / 10;

const docSchema = z.looseObject({
  PartitionKey: z.string(),
  RowKey: z.string(),
  properties: z.record(z.string(), z.unknown()),
  $loki: z.number(),
});
type Doc = z.output<typeof docSchema>;
const collectionSchema = z.looseObject({
  name: z.string(),
  data: z.array(z.unknown()),
  maxId: z.number(),
  binaryIndices: z.record(z.string(), z.looseObject({ values: z.array(z.number()) })),
});
const fileSchema = z.looseObject({ collections: z.array(z.unknown()) });

/** The rows of one table, as its service keeps them. */
interface Rows {
  docs: Doc[];
  add(row: { partitionKey: string; rowKey: string }, like: Doc, properties: Record<string, unknown>): void;
}

/** Lets `change` add rows to the file of the table service. Its indices are sorted lists of places: they are made anew. */
function changeTables(file: string, change: (table: (name: string) => Rows) => void): void {
  const database = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const collections = database.collections.map((each) => ({
    raw: each as Record<string, unknown>,
    name: z.looseObject({ name: z.string() }).parse(each).name,
  }));
  const changed = new Map<Record<string, unknown>, Doc[]>();
  change((name) => {
    const found = collections.find((each) => each.name.endsWith(`$${name}`));
    if (found === undefined) throw new Error(`There is no table ${name}.`);
    const collection = collectionSchema.parse(found.raw);
    const docs = collection.data.map((doc) => docSchema.parse(doc));
    let last = collection.maxId;
    changed.set(found.raw, docs);
    return {
      docs,
      add: ({ partitionKey, rowKey }, like, properties) => {
        last += 1;
        const keys = { PartitionKey: partitionKey, RowKey: rowKey };
        docs.push({ ...like, ...keys, properties: { ...like.properties, ...keys, ...properties }, $loki: last });
      },
    };
  });
  for (const [collection, docs] of changed) {
    const sorted = (key: 'PartitionKey' | 'RowKey'): number[] =>
      docs
        .map((doc, place) => ({ value: doc[key], place }))
        .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : a.place - b.place))
        .map(({ place }) => place);
    Object.assign(collection, {
      data: docs,
      maxId: docs.reduce((most, { $loki }) => Math.max(most, $loki), 0),
      idIndex: docs.map(({ $loki }) => $loki),
      binaryIndices: {
        PartitionKey: { name: 'PartitionKey', dirty: false, values: sorted('PartitionKey') },
        RowKey: { name: 'RowKey', dirty: false, values: sorted('RowKey') },
      },
    });
  }
  writeFileSync(file, JSON.stringify(database));
}

/** Copies of the rows of request `id`, one a minute before the other, all due in days; the last ones failed. */
function seed(file: string, id: string, filedBefore: Date): void {
  changeTables(file, (table) => {
    const [requests, open, byAge, bySubject] = [
      table('requests'),
      table('open'),
      table('openbyage'),
      table('bysubject'),
    ];
    const one = ({ docs }: Rows, key: (doc: Doc) => boolean): Doc => {
      const doc = docs.find(key);
      if (doc === undefined) throw new Error('The request that is copied has not all its rows.');
      return doc;
    };
    const state = one(requests, (doc) => doc.PartitionKey === `r_${id}` && doc.RowKey === 'state');
    const pointer = one(open, ({ RowKey }) => RowKey.endsWith(`_join_${id}`));
    const listed = one(byAge, ({ RowKey }) => RowKey.endsWith(id));
    const subject = one(bySubject, ({ RowKey }) => RowKey.endsWith(id));
    // as the sweeper counts it
    const count = one(table('operations'), ({ RowKey }) => RowKey === 'open');
    const note = JSON.parse(String(count.properties['note'])) as Record<string, unknown>;
    const oldestFiledAt = new Date(filedBefore.getTime() - REQUESTS * 10_000).toISOString();
    count.properties['note'] = JSON.stringify({ ...note, open: REQUESTS + 1, failed: FAILED, oldestFiledAt });
    const json = JSON.parse(String(state.properties['json'])) as Record<string, unknown>;
    const brief = JSON.parse(String(listed.properties['brief'])) as Record<string, unknown>;

    for (let n = 0; n < REQUESTS; n += 1) {
      const requestId = (n + 1).toString(16).padStart(32, '0');
      const filedAt = new Date(filedBefore.getTime() - (REQUESTS - n) * 10_000).toISOString();
      const failed = n >= REQUESTS - FAILED;
      const due = failed
        ? '9999-12-31T23:59:59.999Z'
        : new Date(filedBefore.getTime() + DAY_MS + n * 10_000).toISOString();
      const personId =
        n % (REQUESTS / THEIRS) === 0 ? people.mona.id : `${requestId.slice(-8)}-0000-4000-8000-000000000000`;
      const requester = { id: personId, name: `Person ${String(n)}` };
      const group = { id: GROUP, name: 'Bench' };
      const more = failed
        ? { state: 'failed', waitingFor: 'operations', reason: { rule: 'x', sentence: 'Microsoft Graph refused.' } }
        : {};
      const facts = { id: requestId, filedAt, requester, group };
      // the service writes all that it holds into one file again and again: who is not looked at is kept short
      const whole = personId === people.mona.id || failed;
      requests.add({ partitionKey: `r_${requestId}`, rowKey: 'state' }, state, {
        json: JSON.stringify({ ...(whole && json), ...facts, ...more, due: failed ? null : due }),
        ...(!whole && { policy: '{}' }),
      });
      const shown = JSON.stringify({
        ...brief,
        ...facts,
        ...more,
        ...(failed && { reason: 'Microsoft Graph refused.' }),
      });
      open.add({ partitionKey: 'open', rowKey: `${due}_join_${requestId}` }, pointer, { brief: shown });
      byAge.add({ partitionKey: 'open', rowKey: `${filedAt}_${requestId}` }, listed, { brief: shown });
      const newestFirst = `${String(9_999_999_999_999 - new Date(filedAt).getTime()).padStart(13, '0')}_${requestId}`;
      for (const partitionKey of [`p_${personId}`, `g_${GROUP}`])
        bySubject.add({ partitionKey, rowKey: newestFirst }, subject, {});
    }
  });
}

interface Overview {
  open: { at: string; oldestFiledAt?: string } | null;
  sweeper: { at: string } | null;
}

const callsSchema = z.array(z.object({ method: z.string(), path: z.string(), status: z.number() }));

/** Calls to the tables while `work` runs. */
async function counted(stack: Stack, work: () => Promise<unknown>): Promise<number> {
  const url = `${stack.urls.wireAdmin}/admin/calls`;
  await fetch(url, { method: 'DELETE' });
  await work();
  return callsSchema.parse(await (await fetch(url)).json()).length;
}

async function until(what: string, held: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 120_000; performance.now() < end; await pause(100)) if (await held()) return;
  throw new Error(`This did not come to be: ${what}`);
}

async function times(
  count: number,
  work: () => Promise<{ status: number; text: string }>,
  wanted: string,
): Promise<number> {
  const taken: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const started = performance.now();
    const { status, text } = await work();
    taken.push(performance.now() - started);
    if (status !== 200 || !text.includes(wanted)) throw new Error(`answered ${String(status)}: ${text.slice(-2_000)}`);
  }
  return p50(taken);
}

/** Calls of the sweeper's timer in a minute, of several that pass one after the other. */
async function sweeping(stack: Stack, overview: () => Promise<Overview>): Promise<number> {
  let looks = 0;
  const calls = await counted(stack, async () => {
    for (let n = 0; n < MINUTES; n += 1) {
      const now = stack.clock.now().getTime();
      const next = Math.ceil((now + 1) / MINUTE_MS) * MINUTE_MS;
      stack.clock.advance(next - now + 1_000);
      await until('the sweep', async () => {
        looks += 1;
        return ((await overview()).sweeper?.at ?? '') >= new Date(next).toISOString();
      });
    }
  });
  // each look reads the notes and the quota; the copier of the trail reads its own range once a minute
  return Math.round(((calls - 2 * looks - MINUTES) / MINUTES) * 10) / 10;
}

async function bench(signal: AbortSignal): Promise<number> {
  const stack = await startStack({ wires: true, signal });
  try {
    const { urls } = stack;
    const system = await asSystem(urls, 'hrPortal');
    const ops = await asSystem(urls, 'opsTool');
    const filed = await system.call('POST', '/api/groups/b0000000-0000-4000-8000-000000000001/join-requests', {
      userId: people.rita.id,
      justification: 'x',
    });
    const { id } = z.object({ id: z.string() }).parse(filed.json);
    await until('the mails', async () =>
      (await ops.call('GET', `/api/ops/requests/${id}/record`)).text.includes('approvers-asked'),
    );
    const overview = async () => (await ops.call('GET', '/api/ops/overview')).json as Overview;
    stack.clock.advance(6 * MINUTE_MS);
    await until('the count', async () => (await overview()).open?.oldestFiledAt !== undefined);
    await stack.end('azurite');
    const started = performance.now();
    seed(join(stack.state, 'azurite', '__azurite_db_table__.json'), id, stack.clock.now());
    await stack.restart('azurite');
    say(
      `${String(REQUESTS)} open requests stand in the tables after ${String(Math.round((performance.now() - started) / 1_000))} s`,
    );

    const { browser } = await signIn(urls, 'otto', '/api/ops');
    const firstPage = () => browser.get('/api/ops');
    const firstPageP50Ms = await times(VISITS, firstPage, 'Microsoft Graph refused.');
    const storageCalls = await counted(stack, firstPage);
    say(`first page: p50 ${String(firstPageP50Ms)} ms of ${String(VISITS)}, ${String(storageCalls)} calls to storage`);
    const searchP50Ms = await search(browser);
    say(`search by person: p50 ${String(searchP50Ms)} ms of ${String(SEARCHES)}, ${String(THEIRS)} found`);
    const sweeperCallsPerMinute = await sweeping(stack, overview);
    say(`sweeper: ${String(sweeperCallsPerMinute)} calls to storage a minute, over ${String(MINUTES)} minutes`);
    say(
      `The table service here looks through a whole table for each range; load average ${String(loadavg()[0]?.toFixed(1))}.`,
    );
    say(JSON.stringify({ requests: REQUESTS, firstPageP50Ms, searchP50Ms, storageCalls, sweeperCallsPerMinute }));
    return 0;
  } catch (error) {
    for (const line of stack.logs('host').slice(-20)) say(line);
    throw error;
  } finally {
    await stack.stop();
  }
}

async function search(browser: Browser): Promise<number> {
  const token = hiddenField((await browser.get('/api/ops')).text, 'token');
  return times(SEARCHES, () => browser.post('/api/ops', { token, find: people.mona.id }), 'For this group');
}

runCommand(bench);

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import type { TableClient, TableEntity } from '@azure/data-tables';

import { groups, people } from '../../local/demo-tenant';
import { asPersonWithToken, asSystem } from '../../local/stack/actors';
import type { SystemActor } from '../../local/stack/actors';
import { writeEnvFile } from '../../local/stack/env-file';
import { built } from '../../local/stack/paths';
import { freePort } from '../../local/stack/ports';
import { STORAGE_ACCOUNT } from '../../local/stack/settings';
import { dayOf } from '../../shared/domain/audit-chain';
import { endRuns, runNode, tableClient, temporaryFolder } from '../http/stack/tools';
import { openHouse } from './house';
import type { House } from './house';

/**
 * The trail is copied and sealed while the app runs; then, row by row, somebody with rights on the storage changes it, and
 * `audit:verify`, run as a person would run it, names the row.
 */
let house: House;
let auditor: SystemActor;
let admin: SystemActor;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
type AuditedTable = 'requests' | 'policies' | 'uncopied' | 'audit';

beforeAll(async () => {
  // the copier writes through the wire, so that it can be killed between two of its writes
  const wire = await freePort();
  house = await openHouse({
    wires: true,
    supervise: true,
    ports: { wire },
    env: { AUDIT_TABLES_ENDPOINT: `https://localhost:${String(wire)}/${STORAGE_ACCOUNT}` },
  });
  // with one owner only it would be cared for in a night, which is a chain of its own
  await house.change({ type: 'addOwner', group: groups.marketing.id, target: people.omar.id });
  auditor = await asPersonWithToken(house.stack.urls, 'aude');
  admin = await asSystem(house.stack.urls, 'adminTool');
});
afterAll(async () => {
  await endRuns();
  await house.stop();
});

/** A client with a token of the stack's present time: the clock is moved in between. */
const table = (name: AuditedTable): TableClient => tableClient(house.stack, name);

async function rows(name: AuditedTable, filter: string): Promise<TableEntity<Record<string, unknown>>[]> {
  const found: TableEntity<Record<string, unknown>>[] = [];
  const list = table(name).listEntities<TableEntity<Record<string, unknown>>>({ queryOptions: { filter } });
  for await (const row of list) found.push(row);
  return found;
}

async function eventually<T>(look: () => Promise<T | undefined>, what: string, moves = 0): Promise<T> {
  for (let left = 240; left > 0; left -= 1) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    // the timers of the next minute, or of the next hour
    if (moves > 0 && left % 40 === 0) house.stack.clock.advance(moves);
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`this did not come to be: ${what}`);
}

const allCopied = (): Promise<true> =>
  eventually(
    async () => ((await rows('uncopied', "PartitionKey ge ''")).length === 0 ? true : undefined),
    'everything is copied',
    MINUTE,
  );

async function denied(person: 'rita' | 'mona' | 'ravi'): Promise<string> {
  const id = await house.filed('design', person);
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  const olivia = await asPersonWithToken(house.stack.urls, 'olivia');
  await olivia.call('POST', `/api/join-requests/${id}/decision`, { decision: 'deny' });
  await house.untilTold(id);
  return id;
}

interface Entry {
  seq: number;
  event: string;
  by: { id: string };
  from?: { address?: string; agent?: string };
  policyVersion?: string;
  onBehalfOf?: { id: string };
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
}
/** A host that is being restarted refuses connections, and the front door says so. */
const entriesOf = (query: string): Promise<Entry[]> =>
  eventually(async () => {
    const { json, status } = await auditor.call('GET', `/api/audit?${query}`);
    return status === 200 ? (json as { value: Entry[] }).value : undefined;
  }, `entries for ${query}`);

async function verify(...args: string[]): Promise<{ code: number | null; output: string }> {
  const run = runNode(
    [
      '--disable-warning=ExperimentalWarning',
      '--require',
      built('clock/preload.js'),
      '--',
      built('commands/audit-verify.js'),
      ...args,
    ],
    {
      env: {
        ...house.stack.settings,
        TABLES_ENDPOINT: house.stack.urls.tables,
        AUDIT_TABLES_ENDPOINT: house.stack.urls.tables,
        LOCAL_CLOCK_FILE: house.stack.clock.file,
      },
    },
  );
  return { code: await run.ended, output: run.output() };
}

let requestId: string;
let grantedId: string;

test('what a request and a policy go through is copied as it stands, each entry once', async () => {
  requestId = await denied('rita');
  grantedId = await house.filed('marketing', 'mona', { duration: 'PT3H' });
  await house.until(grantedId, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  const olivia = await asPersonWithToken(house.stack.urls, 'olivia');
  await olivia.call('POST', `/api/join-requests/${grantedId}/decision`, { decision: 'approve', duration: 'PT2H' });
  await house.untilTold(grantedId);
  const policy = `/api/groups/${groups.marketing.id}/policy`;
  await admin.call('PUT', policy, { optedIn: true }, { 'if-none-match': '*' });
  const second = await admin.call('PUT', policy, { optedIn: true, maximumDuration: 'P9D' }, { 'if-match': '"1"' });
  expect(second.status).toBe(200);
  await allCopied();

  const { timeline } = await house.status(requestId);
  const copied = await entriesOf(`requestId=${requestId}`);
  expect(copied.map(({ event }) => event)).toEqual(timeline.map(({ event }) => event));
  expect(copied[0]).toMatchObject({
    event: 'filed',
    policyVersion: 'setting',
    onBehalfOf: { kind: 'person', id: people.rita.id },
    before: { state: null },
    after: { state: 'pending', groupId: groups.design.id, requesterId: people.rita.id },
  });
  expect(copied.find(({ event }) => event === 'denied')).toMatchObject({
    before: { state: 'pending' },
    after: { state: 'denied' },
    from: { address: expect.stringMatching(/^[0-9a-f]{16}$/) as string },
  });

  const written = await entriesOf(`group=${groups.marketing.id}&event=policy-written`);
  expect(written).toMatchObject([
    {
      event: 'policy-written',
      policyVersion: 'group@1',
      from: { address: expect.stringMatching(/^[0-9a-f]{16}$/) as string },
    },
    {
      seq: 2,
      policyVersion: 'group@2',
      before: { maximumDuration: null },
      after: { maximumDuration: 'P9D' },
    },
  ]);
  expect(Object.keys(written[1]?.after ?? {})).toEqual(['maximumDuration']);
  expect(await verify()).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^3 chains with \d+ entries/) as string,
  });
}, 120_000);

// the entries into their chain, the entries into their day, the pointers away
test.each([1, 2, 3])(
  'the host is killed after write %i of a copying: nothing is missing in the copy, and nothing stands twice',
  async (nth) => {
    const id = await denied('mona');
    await allCopied();
    const before = await entriesOf(`requestId=${id}`);
    // a change of a policy is one entry, and nothing else is written after it
    const policy = `/api/groups/${groups.research.id}/policy`;
    const etag = (await admin.call('GET', policy)).headers.get('etag') ?? '';
    const { host } = house.stack.pids;
    // no copying before the fault is set
    house.stack.clock.stop();
    await admin.call('PUT', policy, { optedIn: true, maximumDuration: `P${String(nth)}D` }, { 'if-match': etag });
    await house.fault('tables', {
      method: 'POST|PUT|DELETE',
      skip: nth - 1,
      times: 1,
      fault: { kind: 'kill', pid: host, when: 'after' },
    });
    house.stack.clock.resume();
    await eventually(
      async () => Promise.resolve(house.stack.pids.host !== host || undefined),
      'the host is killed',
      MINUTE,
    );
    await house.clearFaults();
    await allCopied();
    expect((await entriesOf(`group=${groups.research.id}`)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: nth }, (_, index) => index + 1),
    );
    expect(await entriesOf(`requestId=${id}`)).toEqual(before);
    expect(await verify()).toMatchObject({ code: 0 });
  },
  120_000,
);

test('a copy that the crash left for another day stands in one day only, and what no write followed is forgotten', async () => {
  // a pointer whose writer never wrote, and one for what was copied long ago
  await table('uncopied').createEntity({
    partitionKey: 'uncopied',
    rowKey: `r_${'f'.repeat(32)}_ev_000001`,
    chain: `r_${'f'.repeat(32)}`,
    first: 1,
    last: 1,
  });
  const day = dayOf(house.stack.clock.now());
  house.stack.clock.advance(25 * HOUR);
  // its time was over long ago
  const over = await house.untilEnded(grantedId);
  expect(over.membership?.ended?.removed).toBe(true);
  // that it is over was told as well: nothing of it is written on a later day
  await house.until(grantedId, ({ timeline }) => timeline.filter(({ event }) => event === 'outcome-told').length === 2);
  await table('uncopied').upsertEntity({
    partitionKey: 'uncopied',
    rowKey: `r_${requestId}_ev_000002`,
    chain: `r_${requestId}`,
    first: 1,
    last: 2,
    groupId: groups.design.id,
    personId: people.rita.id,
  });
  await allCopied();
  const inDays = await rows('audit', `chain eq 'r_${requestId}' and seq eq 1`);
  expect(inDays.map(({ partitionKey }) => partitionKey)).toEqual([`day_${day}`]);
}, 120_000);

test('every day that is over is sealed, each seal on the one before, also days without a change', async () => {
  house.stack.clock.advance(48 * HOUR);
  const last = await denied('ravi');
  await allCopied();
  house.stack.clock.advance(24 * HOUR);
  const seals = await eventually(
    async () => {
      const found = await rows('audit', "PartitionKey eq 'seal'");
      return found.length >= 4 ? found : undefined;
    },
    'four seals',
    HOUR,
  );
  expect(seals.map(({ chains }) => chains)).toEqual([7, 1, 0, 1]);
  expect(seals[1]?.['previousHash']).toBe(seals[0]?.['hash']);
  expect(house.stack.logs('host').join('\n')).toContain(`auditSeal {"day":"${String(seals[0]?.rowKey)}"`);
  expect(last).toMatch(/^[0-9a-f]{32}$/);
  const whole = await verify();
  expect(whole).toMatchObject({ code: 0 });
  const named = /last seal (\S+)/.exec(whole.output)?.[1] ?? '';
  expect(await verify('--seal', named)).toMatchObject({ code: 0 });
  const other = await verify('--seal', `${named.slice(0, 11)}${'0'.repeat(64)}`);
  expect(other).toMatchObject({ code: 1, output: expect.stringContaining('written down elsewhere') as string });
}, 120_000);

type Undo = () => Promise<unknown>;
type Keys = [table: 'requests' | 'policies' | 'audit', partition: string, row: string];

/** Changes a row as somebody with rights on the account can. */
async function change([name, partition, row]: Keys, changes: Record<string, unknown>): Promise<Undo> {
  const before = await table(name).getEntity<Record<string, unknown>>(partition, row);
  await table(name).updateEntity({ partitionKey: partition, rowKey: row, ...changes }, 'Merge');
  return () => table(name).upsertEntity({ ...before, partitionKey: partition, rowKey: row }, 'Replace');
}
async function remove(name: Keys[0], filter: string): Promise<Undo> {
  const found = await rows(name, filter);
  expect(found).not.toEqual([]);
  for (const { partitionKey = '', rowKey = '' } of found) await table(name).deleteEntity(partitionKey, rowKey);
  return async () => {
    for (const row of found) await table(name).createEntity(row);
  };
}
async function insert(
  name: Keys[0],
  row: Record<string, unknown> & { partitionKey: string; rowKey: string },
): Promise<Undo> {
  await table(name).createEntity(row);
  return () => table(name).deleteEntity(row.partitionKey, row.rowKey);
}

const chain = (): string => `r_${requestId}`;
const ofChain = (): string => `PartitionKey eq '${chain()}'`;
const sealedDay = async (): Promise<string> => String((await rows('audit', "PartitionKey eq 'seal'"))[0]?.rowKey);
const marketing = `g_${groups.marketing.id}`;

test.each<[string, () => Promise<Undo>, () => string | Promise<string>]>([
  [
    'a changed row of the trail',
    () => change(['requests', chain(), 'ev_000002'], { byId: people.mona.id }),
    () => `requests ${chain()}/ev_000002`,
  ],
  [
    'a removed row of the trail',
    () => remove('requests', `${ofChain()} and RowKey eq 'ev_000002'`),
    () => `requests ${chain()}/ev_000002`,
  ],
  [
    'the last row of the trail removed',
    async () => {
      const [last] = (await rows('requests', `${ofChain()} and RowKey ge 'ev_' and RowKey lt 'ev\`'`)).slice(-1);
      return remove('requests', `${ofChain()} and RowKey eq '${String(last?.rowKey)}'`);
    },
    () => `requests ${chain()}/ev_0000`,
  ],
  [
    'an inserted row of the trail',
    async () => {
      const first = await table('requests').getEntity(chain(), 'ev_000001');
      return insert('requests', { ...first, partitionKey: chain(), rowKey: 'ev_000099', event: 'granted' });
    },
    () => `requests ${chain()}/ev_0000`,
  ],
  [
    'a changed state of a request',
    async () => {
      const { json } = await table('requests').getEntity<Record<string, unknown>>(chain(), 'state');
      const forged = JSON.stringify({ ...(JSON.parse(String(json)) as object), state: 'granted' });
      return change(['requests', chain(), 'state'], { json: forged });
    },
    () => `requests ${chain()}/state`,
  ],
  [
    'a removed request',
    () => remove('requests', ofChain()),
    () => `requests ${chain()}: the whole partition is missing`,
  ],
  [
    'a changed entry of a policy',
    () => change(['policies', marketing, 'ev_000001'], { after: '{}' }),
    () => `policies ${marketing}/ev_000001`,
  ],
  [
    'the removed head of a group’s trail',
    () => remove('policies', `PartitionKey eq '${marketing}' and RowKey eq 'head'`),
    () => `policies ${marketing}/ev_000002`,
  ],
  ['a changed copy', () => change(['audit', chain(), 'ev_000002'], { route: 'x' }), () => `audit ${chain()}/ev_000002`],
  [
    'a copy that names another group',
    () => change(['audit', chain(), 'ev_000001'], { groupId: randomUUID() }),
    () => `audit ${chain()}/ev_000001`,
  ],
  [
    'a copy of a policy’s entry that names another group',
    () => change(['audit', marketing, 'ev_000001'], { groupId: randomUUID() }),
    () => `audit ${marketing}/ev_000001`,
  ],
  [
    'a removed copy',
    () => remove('audit', `${ofChain()} and RowKey eq 'ev_000003'`),
    () => `audit ${chain()}/ev_000003`,
  ],
  [
    'a removed copy of which somebody wrote that it is only waiting',
    async () => {
      // nobody copies it meanwhile
      house.stack.clock.stop();
      const undo = await remove('audit', `${ofChain()} and RowKey eq 'ev_000003'`);
      const pointer = { partitionKey: 'uncopied', rowKey: `${chain()}_ev_000003` };
      await table('uncopied').upsertEntity({ ...pointer, chain: chain(), first: 3, last: 3 });
      return async () => {
        await table('uncopied').deleteEntity(pointer.partitionKey, pointer.rowKey);
        await undo();
        house.stack.clock.resume();
      };
    },
    () => `audit ${chain()}/ev_000003`,
  ],
  [
    'an inserted copy',
    async () => {
      const first = await table('audit').getEntity(chain(), 'ev_000001');
      return insert('audit', { ...first, partitionKey: chain(), rowKey: 'ev_000098' });
    },
    () => `audit ${chain()}/ev_000098`,
  ],
  [
    'a changed entry in a day',
    async () => {
      const [row] = await rows('audit', `chain eq '${chain()}' and seq eq 2`);
      return change(['audit', String(row?.partitionKey), String(row?.rowKey)], { event: 'granted' });
    },
    async () => `audit day_${await sealedDay()}/`,
  ],
  [
    'a request removed from the trail, from the copy and from its day',
    async () => {
      const undo = [
        await remove('requests', ofChain()),
        await remove('audit', ofChain()),
        await remove('audit', `chain eq '${chain()}'`),
      ];
      return () => Promise.all(undo.map((each) => each()));
    },
    async () => `audit seal/${await sealedDay()}: it was made of 7 chains`,
  ],
  [
    'a changed seal',
    async () => change(['audit', 'seal', await sealedDay()], { hash: 'f'.repeat(64) }),
    async () => `audit seal/${await sealedDay()}`,
  ],
  [
    'a removed seal',
    async () => remove('audit', `PartitionKey eq 'seal' and RowKey eq '${await sealedDay()}'`),
    () => 'audit seal/',
  ],
  [
    'the last seal removed',
    async () => {
      const [last] = (await rows('audit', "PartitionKey eq 'seal'")).slice(-1);
      return remove('audit', `PartitionKey eq 'seal' and RowKey eq '${String(last?.rowKey)}'`);
    },
    () => 'audit seal/',
  ],
])(
  '%s is named',
  async (_what, tamper, named) => {
    const name = await named();
    const undo = await tamper();
    try {
      const { code, output } = await verify();
      expect(output.split('\n')[0]).toContain(`BROKEN ${name}`);
      expect(code).toBe(1);
    } finally {
      await undo();
    }
  },
  60_000,
);

test('after all of that was put back everything holds again, also with the settings in a file', async () => {
  const folder = temporaryFolder();
  const file = join(folder.path, 'app.env');
  const { urls, settings } = house.stack;
  writeEnvFile(file, { ...settings, TABLES_ENDPOINT: urls.tables, AUDIT_TABLES_ENDPOINT: urls.tables });
  const run = runNode(['--', built('commands/audit-verify.js'), '--env-file', file, '--all']);
  expect([await run.ended, run.output()]).toEqual([0, expect.not.stringContaining('BROKEN')]);
  expect(run.output()).toMatch(/^\d+ chains with \d+ entries, \d+ copied, 0 waiting, 4 seals\nlast seal /);
  folder.remove();
});

test('what can’t be checked is neither whole nor broken: exit code 2', async () => {
  const { AUDIT_TABLES_ENDPOINT: _missing, ...rest } = house.stack.settings;
  const run = runNode(['--', built('commands/audit-verify.js')], { env: rest });
  expect([await run.ended, run.output()]).toEqual([2, expect.stringContaining('AUDIT_TABLES_ENDPOINT must be set')]);
});

// `npm run bench:transactions`: how many calls to Table Storage a join request costs, counted on the wire, beside those of the plain
// "notify, wait, apply" of bench/plain-app, which does the same job without what makes it safe to repeat.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';

import { people } from '../demo-tenant';
import { asPersonWithToken, asSystem, membersOf } from '../stack/actors';
import { runCommand } from '../stack/command';
import { root } from '../stack/paths';
import { startStack } from '../stack/stack';
import type { Stack } from '../stack/stack';

const DAY = 86_400_000;
const say = (text: string): void => console.log(text);
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

const callsSchema = z.array(z.object({ method: z.string(), path: z.string(), status: z.number() }));

/** Calls to the tables while `work` runs: an entity group transaction is one. Those that only make a missing table don't count. */
async function counted(stack: Stack, work: () => Promise<unknown>): Promise<{ reads: number; writes: number }> {
  const url = `${stack.urls.wireAdmin}/admin/calls`;
  await fetch(url, { method: 'DELETE' });
  await work();
  const calls = callsSchema.parse(await (await fetch(url)).json());
  const real = calls.filter(({ path, status }) => !/\/Tables(\?|$)/.test(path) && status !== 404);
  const reads = real.filter(({ method }) => method === 'GET').length;
  return { reads, writes: real.length - reads };
}

async function until(what: string, held: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await pause(50)) if (await held()) return;
  throw new Error(`This did not come to be: ${what}`);
}

async function newGroup({ urls }: Stack): Promise<string> {
  const id = randomUUID();
  const group = {
    id,
    displayName: 'Bench',
    mailNickname: `bench-${id.slice(0, 8)}`,
    owners: [people.olivia.id, people.omar.id],
  };
  await fetch(`${urls.directory}/admin/changes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ type: 'createGroup', group }]),
  });
  return id;
}

const statusSchema = z.object({ id: z.string(), timeline: z.array(z.object({ event: z.string() })).default([]) });

async function ours(signal: AbortSignal) {
  const stack = await startStack({ wires: true, signal });
  try {
    const { urls } = stack;
    const system = await asSystem(urls, 'hrPortal');
    const owner = await asPersonWithToken(urls, 'olivia');
    const status = async (id: string) =>
      statusSchema.parse((await system.call('GET', `/api/join-requests/${id}`)).json);
    const has = async (id: string, event: string, times = 1): Promise<boolean> =>
      (await status(id)).timeline.filter((entry) => entry.event === event).length >= times;
    const file = async (): Promise<string> => {
      const answer = await system.call('POST', `/api/groups/${await newGroup(stack)}/join-requests`, {
        userId: people.rita.id,
        justification: 'x',
      });
      return statusSchema.parse(answer.json).id;
    };
    // reading the status to see that it happened is not the request's own cost: it is taken off
    const quietly = async (work: () => Promise<unknown>, done: () => Promise<boolean>) => {
      let looks = 0;
      const total = await counted(stack, async () => {
        await work();
        await until('the step', async () => {
          looks += 1;
          return done();
        });
      });
      return { reads: total.reads - looks, writes: total.writes };
    };
    // the first one makes the tables
    const warm = await file();
    await until('the mails', () => has(warm, 'approvers-asked'));
    await system.call('POST', `/api/join-requests/${warm}/withdraw`);
    await until('its end', () => has(warm, 'outcome-told'));

    let id = '';
    const filing = await quietly(
      async () => {
        id = await file();
      },
      () => has(id, 'approvers-asked'),
    );
    stack.clock.advance(3 * DAY + 1_000);
    const reminding = await quietly(
      () => Promise.resolve(),
      () => has(id, 'approvers-reminded'),
    );
    const deciding = await quietly(
      () => owner.call('POST', `/api/join-requests/${id}/decision`, { decision: 'approve' }),
      () => has(id, 'outcome-told'),
    );
    return { filing, reminding, deciding };
  } finally {
    await stack.stop();
  }
}

async function plain(signal: AbortSignal) {
  const stack = await startStack({ wires: true, signal, app: join(root, 'bench', 'plain-app') });
  try {
    const { urls } = stack;
    const group = await newGroup(stack);
    const input = {
      requestId: randomUUID(),
      groupId: group,
      userId: people.rita.id,
      owners: [people.olivia.mail, people.omar.mail],
      name: 'Rita',
    };
    const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
      const answer = await fetch(new URL(path, urls.frontDoor), {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return text === '' ? undefined : JSON.parse(text);
    };
    return await counted(stack, async () => {
      const { id } = statusSchema.parse(await call('POST', '/api/requests', input));
      await call('POST', `/api/requests/${id}/decision`);
      await until('the membership', async () => (await membersOf(urls, group)).includes(people.rita.id));
      await until(
        'the end',
        async () => ((await call('GET', `/api/requests/${id}`)) as { output: unknown }).output === 'granted',
      );
    });
  } finally {
    await stack.stop();
  }
}

const sum = (...parts: { reads: number; writes: number }[]) => ({
  reads: parts.reduce((total, { reads }) => total + reads, 0),
  writes: parts.reduce((total, { writes }) => total + writes, 0),
});

async function bench(signal: AbortSignal): Promise<number> {
  const { filing, reminding, deciding } = await ours(signal);
  const other = await plain(signal);
  const approved = sum(filing, deciding);
  const row = (what: string, { reads, writes }: { reads: number; writes: number }): void =>
    say(`${what.padEnd(64)} ${String(reads).padStart(4)} reads ${String(writes).padStart(4)} writes`);
  say('Calls to Table Storage, with two owners');
  row('Gatehouse: filed, claimed, both owners asked, requester told', filing);
  row('Gatehouse: decided, checked again, applied, everyone told', deciding);
  row('Gatehouse: an approved request in all', approved);
  row('Gatehouse: a day with a reminder', reminding);
  row('Plain notify, wait, apply: an approved request', other);
  say(
    'A day without a reminder costs a waiting request none; the sweeper reads one range a minute, for all requests together, and notes what it did.',
  );
  say('What the durable runtime itself writes is not counted: it depends on its backend, and both use the same.');
  say(JSON.stringify({ approved, filing, deciding, reminding, plain: other }));
  return 0;
}

runCommand(bench);

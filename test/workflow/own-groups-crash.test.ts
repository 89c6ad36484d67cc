import { people } from '../../local/demo-tenant';
import { idsOf, openGroupsHouse, wish } from './own-groups-house';
import type { Change, GroupsHouse } from './own-groups-house';

/**
 * The host is killed right after one single write of creating a group was done and before its answer came back: one write after the other.
 * Whatever write it was, there is one group with its owners in the end, opted in, and everyone is told once.
 */
let house: GroupsHouse;

beforeAll(async () => {
  house = await openGroupsHouse({ wires: true, supervise: true });
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

const MINUTES = 60_000;

/** Kills the host right after it wrote for the `nth` time, from now on; gives what tells whether it did. */
async function killAfter(nth: number): Promise<() => boolean> {
  const { host } = house.stack.pids;
  if (host === undefined) throw new Error('the host does not run');
  await house.fault('tables', {
    method: 'POST|PUT|DELETE',
    skip: nth - 1,
    times: 1,
    fault: { kind: 'kill', pid: host, when: 'after' },
  });
  return () => house.stack.pids.host !== host;
}

/** Asks with an Idempotency-Key, again and again until the answer comes, as a well-behaved caller does. */
async function createUntilAnswered(name: string): Promise<string> {
  for (let left = 100; left > 0; left -= 1) {
    const answer = await house
      .create('rita', wish(name, { owners: [people.mona.id] }), { 'idempotency-key': name.replaceAll(' ', '-') })
      .catch(() => undefined);
    if (answer?.status === 202) return (answer.json as Change).id;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('never filed');
}

/** Lets the stack's clock run on until the sweeper has mended what the crash left behind. */
async function mended(id: string): Promise<Change> {
  for (let minutes = 0; minutes < 8; minutes += 1) {
    try {
      return await house.untilChange(
        id,
        ({ timeline }) => timeline.some(({ event }) => event === 'outcome-told'),
        4_000,
      );
    } catch {
      house.stack.clock.advance(MINUTES);
    }
  }
  return house.changeStatus(id);
}

async function oneGroup(name: string, id: string): Promise<void> {
  const change = await mended(id);
  expect(change.state).toBe('done');
  const found = await house.named(name);
  expect(found).toEqual([change.group?.id]);
  expect(await house.ownersOf(found[0] ?? '')).toEqual(idsOf('rita', 'mona'));
  const policy = (await (await house.as('adele')).call('GET', `/api/groups/${found[0] ?? ''}/policy`)).json;
  expect(policy).toMatchObject({ version: 'group@1', policy: { optedIn: true } });
  expect([await house.mailsAbout(id, 'rita'), await house.mailsAbout(id, 'mona')]).toEqual([
    [`Done: create the group ${name}`],
    [`You own the new group ${name}`],
  ]);
}

/** Every third write, so that all tests together stay short; with ALL_WRITES=1 each of them. */
const STEP = process.env['ALL_WRITES'] === '1' ? 1 : 3;
const upTo = (most: number): number[] => Array.from({ length: Math.ceil(most / STEP) }, (_, index) => 1 + index * STEP);

// limit, claim, open row, announcement, change; `applying`; the group that stands; its policy; `done`; the outbox, what was sent, the
// claim, the last entry; announcements and open rows between them
test.each(upTo(24))(
  'the host is killed after write %i of creating a group',
  async (nth) => {
    const name = `Crash ${String(nth)}`;
    const killed = await killAfter(nth);
    const id = await createUntilAnswered(name);
    await oneGroup(name, id);
    expect(killed()).toBe(true);
  },
  120_000,
);

test('the host is killed after Graph created the group and before it could write so', async () => {
  await house.fault('directory', {
    method: 'PATCH',
    path: 'uniqueName',
    times: 1,
    fault: { kind: 'kill', pid: house.stack.pids.host, when: 'after' },
  });
  await oneGroup('Crash of Graph', await createUntilAnswered('Crash of Graph'));
}, 120_000);

test.each(upTo(16))(
  'the host is killed after write %i of handing a group over and telling it',
  async (nth) => {
    const id = `d0000000-0000-4000-8000-${String(nth).padStart(12, '0')}`;
    await house.change({
      type: 'createGroup',
      group: {
        id,
        displayName: `Relay ${String(nth)}`,
        mailNickname: `relay-${String(nth)}`,
        owners: [people.rita.id],
      },
    });
    const rita = await house.as('rita');
    const killed = await killAfter(nth);
    let changeId: string | undefined;
    for (let left = 100; changeId === undefined && left > 0; left -= 1) {
      const answer = await rita
        .call('POST', `/api/groups/${id}/changes`, handOver, { 'idempotency-key': `relay-${String(nth)}` })
        .catch(() => undefined);
      if (answer?.status === 202) changeId = (answer.json as Change).id;
      else await new Promise((done) => setTimeout(done, 100));
    }
    const change = await mended(changeId ?? '');
    expect([change.state, killed()]).toEqual(['done', true]);
    expect(await house.ownersOf(id)).toEqual(idsOf('mona'));
    expect([await house.mailsAbout(change.id, 'rita'), await house.mailsAbout(change.id, 'mona')]).toEqual([
      [expect.stringMatching(/^Done: hand Relay/)],
      [expect.stringMatching(/^You are an owner of Relay/)],
    ]);
  },
  120_000,
);

const handOver = { kind: 'hand-over', person: people.mona.id };

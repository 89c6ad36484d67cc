import { people } from '../../local/demo-tenant';
import type { PersonAlias } from '../../local/demo-tenant';
import { openLivesHouse } from './group-lives-house';
import type { LivesHouse } from './group-lives-house';
import { withoutTimers } from './house';

/**
 * The host is killed right after one single write of a step in a group's life was done and before its answer came back. Whatever write it
 * was, the step is taken once in the end, and everyone is told once.
 */
let house: LivesHouse;

beforeAll(async () => {
  house = await openLivesHouse({ wires: true, supervise: true, env: withoutTimers('auditSeal', 'housekeeping') });
  const answer = await house.rules({
    security: { lifetime: { lifetime: 'P40D', warnings: ['P30D'], grace: 'P10D', afterwards: 'delete' } },
  });
  if (answer.status !== 200) throw new Error(answer.text);
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

const kill = () => {
  const { host } = house.stack.pids;
  if (host === undefined) throw new Error('the host does not run');
  return { fault: { kind: 'kill', pid: host, when: 'after' }, wasKilled: () => house.stack.pids.host !== host };
};

/** Kills the host right after its `nth` write from now on, those of what it notes about itself not counted. */
async function killAfter(nth: number): Promise<() => boolean> {
  const { fault, wasKilled } = kill();
  await house.fault('tables', {
    method: 'POST|PUT|DELETE',
    path: '^(?!.*/(operations|audit))',
    skip: nth - 1,
    times: 1,
    fault,
  });
  return wasKilled;
}

const aboutTheEnd = async (groupId: string, person: PersonAlias, word: string): Promise<number> =>
  (await house.lifeMails(groupId, person)).filter((subject) => subject.includes(word)).length;

/** A group with a member, deleted once the test is done with it, so that the next one’s writes are alone. */
async function withGroup(name: string, work: (groupId: string) => Promise<void>): Promise<void> {
  const id = await house.born('rita', name);
  const added = await house.manage('rita', id, { kind: 'add-member', person: people.maja.id });
  expect((await house.settled(added)).state).toBe('done');
  await work(id);
  if (!(await house.isThere(id))) return;
  await house.change({ type: 'deleteGroup', id });
  house.stack.clock.advance(60 * 86_400_000);
  await house.untilTrail(id, 'life-over');
}

/** Two writes of each step, so that all tests together stay short; with ALL_WRITES=1 every one. */
const EVERY = process.env['ALL_WRITES'] === '1';
const upTo = (most: number): number[] => Array.from({ length: most }, (_, index) => 1 + index);

// which mail each delivery report is of, both; the outbox, the quota, what was sent; the open row, the announcement, the life, the old row
test.each(EVERY ? upTo(9) : [3, 7])(
  'the host is killed after write %i of warning the owners',
  (nth) =>
    withGroup(`Warned ${String(nth)}`, async (id) => {
      const killed = await killAfter(nth);
      const { warnedAt } = await house.at(id, 10, (life) => life.warnedAt !== undefined);
      expect(killed()).toBe(true);
      expect(await house.untilTrail(id, 'owners-warned')).toHaveLength(1);
      for (const owner of ['rita', 'mona'] as const) expect(await aboutTheEnd(id, owner, 'expires on')).toBe(1);
      // the next step is due when it should be
      const over = await house.at(id, 40, ({ state }) => state === 'expired');
      expect(over.warnedAt).toBe(warnedAt);
    }),
  180_000,
);

// the open row, the announcement, the life, the old row; three mails, the outbox, the quota, what was sent; and the life again
test.each(EVERY ? upTo(14) : [3, 9])(
  'the host is killed after write %i of letting a group expire and telling it',
  (nth) =>
    withGroup(`Expired ${String(nth)}`, async (id) => {
      await house.at(id, 10, (life) => life.warnedAt !== undefined);
      const killed = await killAfter(nth);
      await house.at(id, 40, ({ state }) => state === 'expired');
      await house.untilTrail(id, 'members-told');
      expect(killed()).toBe(true);
      expect(await house.untilTrail(id, 'group-expired')).toHaveLength(1);
      for (const person of ['rita', 'mona', 'maja'] as const)
        expect(await aboutTheEnd(id, person, 'has expired')).toBe(1);
    }),
  180_000,
);

test(
  'the host is killed after the mail service accepted a warning and before it could write so',
  () =>
    withGroup('Accepted', async (id) => {
      const { fault, wasKilled } = kill();
      await house.fault('mail', { method: 'POST', path: 'emails:send', times: 1, fault });
      await house.at(id, 10, (life) => life.warnedAt !== undefined);
      expect(wasKilled()).toBe(true);
      for (const owner of ['rita', 'mona'] as const) expect(await aboutTheEnd(id, owner, 'expires on')).toBe(1);
    }),
  180_000,
);

test(
  'the host is killed after Graph deleted the group and before it could write so',
  () =>
    withGroup('Deleted', async (id) => {
      await house.at(id, 10, (life) => life.warnedAt !== undefined);
      await house.at(id, 40, ({ state }) => state === 'expired');
      await house.untilTrail(id, 'members-told');
      const { fault, wasKilled } = kill();
      await house.fault('directory', { method: 'DELETE', path: `groups/${id}$`, times: 1, fault });
      house.stack.clock.advance(11 * 86_400_000);
      await house.untilMails(id, 'mona', 3);
      expect([wasKilled(), await house.isThere(id)]).toEqual([true, false]);
      expect(await house.untilTrail(id, 'group-deleted')).toHaveLength(1);
      for (const owner of ['rita', 'mona'] as const) expect(await aboutTheEnd(id, owner, 'was deleted')).toBe(1);
    }),
  180_000,
);

import { groups, people } from '../../local/demo-tenant';
import { mailsTo } from '../../local/stack/actors';
import { openHouse } from './house';
import type { House, Status } from './house';

/**
 * The host is killed right after one single write of the app was done and before its answer came back: each write of filing, asking,
 * deciding, applying and telling in turn. Whatever write it was, the request ends right, and everyone is told once.
 */
let house: House;

beforeAll(async () => {
  house = await openHouse({ wires: true, supervise: true });
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

const MINUTES = 60_000;

/** Kills the host right after it wrote for the `nth` time, from now on, to the service; gives what tells whether it did. */
async function killAfter(service: 'tables' | 'mail', nth: number): Promise<() => boolean> {
  const { host } = house.stack.pids;
  if (host === undefined) throw new Error('the host does not run');
  await house.fault(service, {
    method: 'POST|PUT|DELETE',
    skip: nth - 1,
    times: 1,
    fault: { kind: 'kill', pid: host, when: 'after' },
  });
  return () => house.stack.pids.host !== host;
}

/** Lets the stack's clock run on until the sweeper has mended what the crash left behind. */
const mended = async (id: string): Promise<string> =>
  (
    await passing(
      id,
      ({ timeline, state }) => state !== 'failed' && timeline.some(({ event }) => event === 'outcome-told'),
    )
  ).state;

/** Reads the status until it is as wanted, while the clock runs on. */
const passing: House['untilSwept'] = (id, wanted) => house.untilSwept(id, wanted, 60_000);

const mailsAbout = async (id: string, person: 'olivia' | 'omar' | 'mona'): Promise<string[]> =>
  (await mailsTo(house.stack.urls, person))
    .filter((mail) => (mail.plainText ?? '').includes(id))
    .map(({ subject }) => subject);

async function toldOnce(id: string): Promise<void> {
  expect(await mailsAbout(id, 'mona')).toHaveLength(2);
  expect((await mailsAbout(id, 'olivia')).filter((subject) => !subject.startsWith('Re:'))).toHaveLength(1);
  expect((await mailsAbout(id, 'omar')).filter((subject) => !subject.startsWith('Re:'))).toHaveLength(1);
}

/** Files with an Idempotency-Key, again and again until the answer comes, as a well-behaved system does. */
async function fileUntilAnswered(group: string): Promise<string> {
  for (let left = 100; left > 0; left -= 1) {
    const answer = await house.file(group, 'mona', {}, { 'idempotency-key': group }).catch(() => undefined);
    if (answer?.status === 202) return (answer.json as { id: string }).id;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('never filed');
}

async function decideUntilRecorded(id: string): Promise<void> {
  for (let left = 60; left > 0; left -= 1) {
    const page = await house.decide(id, 'olivia', 'approve').catch(() => undefined);
    if (page?.text.includes('Approved') === true) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('never decided');
}

/** Waits until the tables have answered so many calls of this path with the status: each attempt of the app is one call and two repeats. */
async function untilCalls(path: string, status: number, count: number): Promise<void> {
  for (let left = 200; left > 0; left -= 1) {
    const answer = await fetch(`${house.stack.urls.wireAdmin ?? ''}/admin/calls`);
    const calls = (await answer.json()) as { path: string; status: number }[];
    if (calls.filter((call) => call.path.includes(path) && call.status === status).length >= count) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`never ${String(count)} calls of ${path} with ${String(status)}`);
}

const untilAsked = (id: string): Promise<Status> =>
  passing(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));

const upTo = (most: number): number[] => Array.from({ length: most }, (_, index) => index + 1);

// filing: claim, open row, lists and request; then a link for each owner, the outbox, who was asked, and the open row of the next step.
// deciding: open row and vote; `applying`, the membership row, `granted`; outbox, what was sent, the claim, the last entry; open rows between
const FILING = 25;
const DECIDING = 26;
test.each(upTo(DECIDING))(
  'the host is killed after write %i of filing a request and asking its owners, and again after that of deciding, applying and telling it',
  async (nth) => {
    const group = await house.newGroup(['olivia', 'omar']);
    const killedFiling = nth <= FILING ? await killAfter('tables', nth) : () => true;
    const id = await fileUntilAnswered(group);
    await untilAsked(id);
    await passing(id, killedFiling);

    const killedDeciding = await killAfter('tables', nth);
    await decideUntilRecorded(id);
    expect(await mended(id)).toBe('granted');
    // the last writes come after what the status shows
    await passing(id, killedDeciding);
    expect(await house.isMember(group, 'mona')).toBe(true);
    await toldOnce(id);
  },
  120_000,
);

test('the host is killed after Graph added the member and before it could write so', async () => {
  const group = await house.newGroup(['olivia', 'omar']);
  const id = await fileUntilAnswered(group);
  await untilAsked(id);
  await house.fault('directory', {
    method: 'POST',
    path: 'members/\\$ref',
    times: 1,
    fault: { kind: 'kill', pid: house.stack.pids.host, when: 'after' },
  });
  await decideUntilRecorded(id);
  expect(await mended(id)).toBe('granted');
  expect(await house.isMember(group, 'mona')).toBe(true);
  await toldOnce(id);
}, 120_000);

test('the host is killed after the mail service accepted a mail and before it could write so', async () => {
  await killAfter('mail', 1);
  const id = await fileUntilAnswered(await house.newGroup(['olivia', 'omar']));
  await untilAsked(id);
  await house.clearFaults();
  await decideUntilRecorded(id);
  expect(await mended(id)).toBe('granted');
  await toldOnce(id);
}, 120_000);

test('what an administrator added while a request was stuck before its membership row is not taken back with it', async () => {
  const earlier = await house.filed('marketing', 'mona', { duration: 'PT1H' });
  await untilAsked(earlier);
  await decideUntilRecorded(earlier);
  await house.until(earlier, ({ state }) => state === 'granted');
  house.stack.clock.advance(62 * MINUTES);
  await house.until(earlier, ({ membership }) => membership?.ended?.removed === true);

  const id = await house.filed('marketing', 'mona');
  await untilAsked(id);
  await house.fault('tables', {
    method: 'POST|PUT',
    path: 'memberships',
    fault: { kind: 'answer', status: 503 },
  });
  await decideUntilRecorded(id);
  await house.until(id, ({ state }) => state === 'applying');
  // the next attempt comes when the clock goes on
  house.stack.clock.stop();
  await untilCalls('memberships', 503, 3);
  await house.change(
    { type: 'addMember', group: groups.marketing.id, target: people.mona.id },
    { type: 'patchUser', id: people.mona.id, patch: { accountEnabled: false } },
  );
  await house.clearFaults();
  house.stack.clock.resume();
  expect(await mended(id)).toBe('cancelled');
  expect(await house.isMember('marketing', 'mona')).toBe(true);
  await house.change({ type: 'patchUser', id: people.mona.id, patch: { accountEnabled: true } });
}, 120_000);

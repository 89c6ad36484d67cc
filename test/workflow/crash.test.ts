import { people } from '../../local/demo-tenant';
import { mailsTo } from '../../local/stack/actors';
import { openHouse } from './house';
import type { House } from './house';

/**
 * The host is killed right after one single write of the app was done and before its answer came back: each write of filing, asking,
 * deciding, applying and telling in turn. Whatever write it was, the request ends right, and everyone is told once.
 */
let house: House;

beforeAll(async () => {
  house = await openHouse({ wires: true, supervise: true });
});
afterEach(() => clean());
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
async function mended(id: string): Promise<string> {
  for (let minutes = 0; minutes < 8; minutes += 1) {
    house.stack.clock.advance(MINUTES);
    try {
      return (
        await house.until(
          id,
          ({ timeline, state }) => state !== 'failed' && timeline.some(({ event }) => event === 'outcome-told'),
          4_000,
        )
      ).state;
    } catch {
      // not yet: another minute
    }
  }
  return (await house.status(id)).state;
}

const mailsAbout = async (id: string, person: 'olivia' | 'omar' | 'mona'): Promise<string[]> =>
  (await mailsTo(house.stack.urls, person))
    .filter((mail) => (mail.plainText ?? '').includes(id))
    .map(({ subject }) => subject);

async function toldOnce(id: string): Promise<void> {
  expect(await mailsAbout(id, 'mona')).toHaveLength(1);
  expect((await mailsAbout(id, 'olivia')).filter((subject) => !subject.startsWith('Re:'))).toHaveLength(1);
  expect((await mailsAbout(id, 'omar')).filter((subject) => !subject.startsWith('Re:'))).toHaveLength(1);
}

async function clean(): Promise<void> {
  await house.clearFaults();
  await house.change({ type: 'removeMember', group: designId(), target: people.mona.id }).catch(() => undefined);
}
const designId = () => 'b0000000-0000-4000-8000-000000000001';

/** Files with an Idempotency-Key, again and again until the answer comes, as a well-behaved system does. */
async function fileUntilAnswered(key: string): Promise<string> {
  for (let left = 100; left > 0; left -= 1) {
    const answer = await house.file('design', 'mona', {}, { 'idempotency-key': key }).catch(() => undefined);
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

async function untilAsked(id: string): Promise<void> {
  for (let minutes = 0; minutes < 6; minutes += 1) {
    try {
      await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'), 4_000);
      return;
    } catch {
      house.stack.clock.advance(MINUTES);
    }
  }
  throw new Error(`never asked: ${JSON.stringify(await house.status(id))}`);
}

const upTo = (most: number): number[] => Array.from({ length: most }, (_, index) => index + 1);

// claim, open row, request; then a link for each owner, the outbox, who was asked, and the open row of the next step
test.each(upTo(9))(
  'the host is killed after write %i of filing a request and asking its owners',
  async (nth) => {
    const killed = await killAfter('tables', nth);
    const id = await fileUntilAnswered(`filing-${String(nth)}`);
    await untilAsked(id);
    await house.until(id, killed);
    await house.clearFaults();
    await decideUntilRecorded(id);
    expect(await mended(id)).toBe('granted');
    expect(await house.isMember('design', 'mona')).toBe(true);
    await toldOnce(id);
  },
  120_000,
);

// open row and vote; `applying`, the membership row, `granted`; outbox, what was sent, the claim, the last entry; open rows between them
test.each(upTo(12))(
  'the host is killed after write %i of deciding a request, applying and telling it',
  async (nth) => {
    const id = await fileUntilAnswered(`deciding-${String(nth)}`);
    await untilAsked(id);
    const killed = await killAfter('tables', nth);
    await decideUntilRecorded(id);
    expect(await mended(id)).toBe('granted');
    expect(killed()).toBe(true);
    expect(await house.isMember('design', 'mona')).toBe(true);
    await toldOnce(id);
  },
  120_000,
);

test('the host is killed after Graph added the member and before it could write so', async () => {
  const id = await fileUntilAnswered('graph');
  await untilAsked(id);
  await house.fault('directory', {
    method: 'POST',
    path: 'members/\\$ref',
    times: 1,
    fault: { kind: 'kill', pid: house.stack.pids.host, when: 'after' },
  });
  await decideUntilRecorded(id);
  expect(await mended(id)).toBe('granted');
  expect(await house.isMember('design', 'mona')).toBe(true);
  await toldOnce(id);
}, 120_000);

test('the host is killed after the mail service accepted a mail and before it could write so', async () => {
  await killAfter('mail', 1);
  const id = await fileUntilAnswered('mail');
  await untilAsked(id);
  await house.clearFaults();
  await decideUntilRecorded(id);
  expect(await mended(id)).toBe('granted');
  await toldOnce(id);
}, 120_000);

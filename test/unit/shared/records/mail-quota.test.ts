import { priorityOf } from '../../../../shared/join-requests/outbox';
import { mailQuota } from '../../../../shared/records/mail-quota';
import type { MailPriority } from '../../../../shared/records/mail-quota';
import { memoryTable } from '../../../model/memory-tables';

/** Ten mails a minute and a hundred an hour, as a service that was never asked for more allows. */
const LIMITS = { perMinute: 10, perHour: 100 };
const START = new Date('2026-03-02T09:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const after = (ms: number): Date => new Date(START.getTime() + ms);

async function takenUp(priority: MailPriority, before: MailPriority): Promise<number> {
  const quota = mailQuota(memoryTable(), LIMITS);
  await quota.take(before, LIMITS.perMinute, START);
  return (await quota.take(priority, LIMITS.perMinute, START)).granted;
}

test('the less urgent a mail, the less of a minute it may use; the rest waits for the next one', async () => {
  const alone = async (priority: MailPriority) => mailQuota(memoryTable(), LIMITS).take(priority, 10, after(1_000));
  expect(await alone('ask')).toEqual({ granted: 10, waitMs: 0 });
  expect(await alone('outcome')).toEqual({ granted: 8, waitMs: MINUTE - 1_000 });
  expect(await alone('reminder')).toEqual({ granted: 7, waitMs: MINUTE - 1_000 });
  expect(await alone('digest')).toEqual({ granted: 6, waitMs: MINUTE - 1_000 });
});

test('however many digests and reminders went, there is room for outcomes, and for asking somebody to decide', async () => {
  expect(await takenUp('reminder', 'digest')).toBe(1);
  expect(await takenUp('outcome', 'reminder')).toBe(1);
  expect(await takenUp('ask', 'outcome')).toBe(2);
  expect(await takenUp('digest', 'ask')).toBe(0);
});

test('no filer uses up the minute or the hour, nor do several together: there is room for the next one', async () => {
  const quota = mailQuota(memoryTable(), LIMITS);
  const flood = async (filer: string, at: Date) => (await quota.take('ask', 100, at, filer)).granted;
  expect([await flood('portal', START), await flood('portal', START)]).toEqual([7, 0]);
  expect([await flood('crm', START), await flood('wiki', START)]).toEqual([2, 1]);

  const slow = mailQuota(memoryTable(), { perMinute: 1_000, perHour: 100 });
  const used = async (filer: string) => (await slow.take('ask', 1_000, START, filer)).granted;
  expect([await used('portal'), await used('crm'), await used('wiki')]).toEqual([70, 21, 6]);
});

test('whoever began in the minute before counts in the one that has begun: it does not begin anew for the next', async () => {
  const quota = mailQuota(memoryTable(), LIMITS);
  expect(await quota.take('ask', 9, after(MINUTE))).toEqual({ granted: 9, waitMs: 0 });
  expect((await quota.take('ask', 5, after(MINUTE - 1_000))).granted).toBe(1);
  expect(await quota.take('ask', 5, after(MINUTE + 1_000))).toEqual({ granted: 0, waitMs: MINUTE - 1_000 });
  expect((await quota.used(after(MINUTE - 1_000))).minute).toEqual({ used: 10, of: 10 });
});

test('a clock that is wrong by days does not stop the mail of the others', async () => {
  const quota = mailQuota(memoryTable(), LIMITS);
  await quota.take('ask', 10, after(48 * HOUR));
  expect((await quota.take('ask', 10, START)).granted).toBe(10);
});

test.each<MailPriority>(['ask', 'outcome', 'reminder', 'digest'])(
  'of mails of the kind %s no filer leaves nothing for the next one',
  async (priority) => {
    const quota = mailQuota(memoryTable(), { perMinute: 1_000, perHour: 100 });
    expect((await quota.take(priority, 1_000, START, 'flooder')).granted).toBeGreaterThan(30);
    expect((await quota.take(priority, 1_000, START, 'flooder')).granted).toBe(0);
    expect((await quota.take(priority, 5, START, 'rita')).granted).toBe(5);
  },
);

test('a new minute has room again, a new hour for the filer as well', async () => {
  const quota = mailQuota(memoryTable(), { perMinute: 100, perHour: 100 });
  expect((await quota.take('ask', 100, START, 'portal')).granted).toBe(70);
  expect((await quota.take('ask', 100, after(MINUTE), 'portal')).granted).toBe(0);
  expect((await quota.take('ask', 100, after(HOUR), 'portal')).granted).toBe(70);
});

test.each<[MailPriority, string[]]>([
  ['ask', ['ask_0_0_a']],
  ['outcome', ['outcome_a', 'ended_a', 'delayed_a', 'warn_1_a']],
  ['reminder', ['remind_0_0_1_a', 'nudge_0_0_1_a', 'closed_a', 'filed_a']],
  ['digest', ['digest_2026-03-02_a']],
])('as %s goes %j', (priority, keys) => {
  expect(keys.map(priorityOf)).toEqual(keys.map(() => priority));
});

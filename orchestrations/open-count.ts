import { isOpen } from '../shared/domain/join-request';
import { NEVER_DUE } from '../shared/records/open-rows';
import type { OpenRow } from '../shared/records/open-rows';
import type { OpenCount } from '../shared/records/operations-notes';
import { pointedTo } from '../shared/records/pointed-to';
import type { Services } from '../shared/services';
import { event } from '../shared/telemetry';

/** How often the open requests are counted. */
const EVERY_MS = 5 * 60_000;
const MINUTE_MS = 60_000;
/** A step that waits for a service is tried again within this time: all that wait are due in it. */
const WAIT_MS = 3_600_000;
/** A page of Table Storage holds 1,000 rows: so many of them are read in each range, whatever there is. */
const MOST_DUE = 5_000;
const MOST_FAILED = 1_000;
/** Of all that are open so many are counted in one run; the next one goes on there. */
const MOST_COUNTED = 10_000;
/** Rows by age that point to what is open no longer are taken off when they are the oldest: so many in one run. */
const OLDEST = 20;

/** Counts the open requests where that is due, logs `open-requests`, and gives what shall be noted. A bounded number of reads, however many sleep. */
export async function countOpen(
  services: Pick<Services, 'records'>,
  before: OpenCount | undefined,
  at: Date,
): Promise<OpenCount | undefined> {
  if (before !== undefined && at.getTime() - new Date(before.at).getTime() < EVERY_MS - MINUTE_MS / 2) return undefined;
  const { open, lists } = services.records;
  const [due, undue, all, oldestFiledAt] = await Promise.all([
    open.between(new Date(0), new Date(at.getTime() + WAIT_MS), MOST_DUE),
    open.between(NEVER_DUE, undefined, MOST_FAILED),
    lists.count(before?.cursor ?? '', MOST_COUNTED),
    oldestOpen(services),
  ]);
  const failed = undue.length - (await removeStale(services, undue));
  const joins = due.filter(({ kind }) => kind === 'join');
  const waitingFor = (what: string): number => joins.filter(({ brief }) => brief?.waitingFor === what).length;
  const soFar = (before?.soFar ?? 0) + all.count;
  const counted: OpenCount = {
    at: at.toISOString(),
    ...(all.next === undefined
      ? { open: soFar, countedAt: at.toISOString() }
      : {
          ...(before?.open !== undefined && { open: before.open }),
          ...(before?.countedAt !== undefined && { countedAt: before.countedAt }),
        }),
    approved: joins.filter(({ brief }) => brief?.state === 'approved').length,
    failed: failed + joins.filter(({ brief }) => brief?.state === 'failed').length,
    overdue: joins.filter((row) => isLate(row, at)).length,
    waitingForMail: waitingFor('mail'),
    waitingForDirectory: waitingFor('directory'),
    ...(oldestFiledAt !== undefined && { oldestFiledAt }),
    atLeast: due.length === MOST_DUE || undue.length === MOST_FAILED,
    cursor: all.next ?? '',
    soFar: all.next === undefined ? 0 : soFar,
  };
  tell(counted, at);
  return counted;
}

const isLate = ({ due }: OpenRow, at: Date): boolean => new Date(due).getTime() < at.getTime() - MINUTE_MS;

/** When the oldest request that is really open was filed. A row of one that is not, whose removal got lost, is removed. */
async function oldestOpen({ records }: Pick<Services, 'records'>): Promise<string | undefined> {
  const { rows } = await records.lists.byAge(OLDEST, '');
  for (const { id, filedAt } of rows) {
    const stored = await records.requests.read(id);
    // one that is being filed at this moment has no request yet
    if (stored === undefined) continue;
    if (isOpen(stored.request)) return filedAt;
    await records.lists.takeOff(id, filedAt);
  }
  return undefined;
}

/**
 * A row that waits for operations is never due, so the sweeper does not come by it: one whose dossier went on is removed here. One of which
 * nothing stands yet is not: its writer may be between two writes.
 * @returns how many were removed
 */
async function removeStale({ records }: Pick<Services, 'records'>, undue: readonly OpenRow[]): Promise<number> {
  let removed = 0;
  for (const row of undue.slice(0, OLDEST)) {
    const { isThere, isCurrent } = await pointedTo(records, row);
    if (!isThere || isCurrent) continue;
    await records.open.delete(row);
    removed += 1;
  }
  return removed;
}

function tell(counted: OpenCount, at: Date): void {
  const { open, soFar, approved, failed, overdue, waitingForMail, waitingForDirectory, oldestFiledAt } = counted;
  const total = open ?? soFar;
  event('open-requests', {
    open: total,
    pending: Math.max(0, total - approved - failed),
    approved,
    failed,
    overdue,
    waitingForMail,
    waitingForDirectory,
    oldestHours: oldestFiledAt === undefined ? 0 : hoursBetween(new Date(oldestFiledAt), at),
    atLeast: counted.atLeast || open === undefined,
  });
}

const hoursBetween = (from: Date, to: Date): number =>
  Math.max(0, Math.round((to.getTime() - from.getTime()) / 360_000) / 10);

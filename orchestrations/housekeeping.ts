import { durationMs } from '../shared/domain/duration';
import type { Notes } from '../shared/records/operations-notes';
import type { Services } from '../shared/services';
import { event } from '../shared/telemetry';
import type { Sweep } from './sweeper';
import type { Instances } from './durable';
import { countOpen } from './open-count';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Repairs are kept by hour for so long. */
const REPAIRS_MS = DAY_MS;

/** What a workflow may have been started before and still be running: a request's whole life, with some to spare. */
const OLDEST_MS = 400 * DAY_MS;
/** Histories of so many days are purged in one run, day by day: each is one bounded call of the durable client. */
const DAYS_PER_RUN = 24;

/** Notes what a run of the sweeper did, and counts the open requests where that is due; the notes are those from before it. */
export async function noteSweep(
  services: Pick<Services, 'records'>,
  { sweeper, open }: Notes,
  result: Sweep,
  at: Date,
  tookMs: number,
): Promise<void> {
  const { notes } = services.records;
  const hour = new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS).toISOString();
  const kept = Object.entries(sweeper?.repairs ?? {}).filter(
    ([each]) => new Date(each).getTime() > at.getTime() - REPAIRS_MS,
  );
  const repairs = Object.fromEntries(kept);
  const mended = result.started + result.woken + result.removed + result.failed;
  if (mended > 0) repairs[hour] = (repairs[hour] ?? 0) + mended;
  await notes.write('sweeper', { at: at.toISOString(), tookMs: Math.round(tookMs), ...result, repairs });
  const counted = await countOpen(services, open, at);
  if (counted !== undefined) await notes.write('open', counted);
}

export interface Purge {
  /** Finished histories that were removed. */
  purged: number;
  /** Those started before this moment were looked at in this round. */
  until: string;
}

/**
 * Purges the histories of workflows that have ended and were started longer ago than the retention: the row and its trail say what
 * happened, the history only how the engine came there. A run takes on some days; when all are done it begins again, so that what ends
 * late is purged within a day.
 */
export async function purgeHistories(
  { config, records }: Pick<Services, 'config' | 'records'>,
  durable: Instances,
  at: Date,
): Promise<Purge> {
  const end = at.getTime() - durationMs(config.HISTORY_RETENTION);
  const { purge } = await records.notes.read();
  const oldest = end - OLDEST_MS;
  let from = purge === undefined || purge.done ? oldest : Math.max(oldest, new Date(purge.until).getTime());
  let purged = 0;
  for (let day = 0; day < DAYS_PER_RUN && from < end; day += 1) {
    const to = Math.min(from + DAY_MS, end);
    purged += await durable.purge(new Date(from), new Date(to));
    from = to;
  }
  const until = new Date(from).toISOString();
  await records.notes.write('purge', { at: at.toISOString(), until, done: from >= end, purged });
  return { purged, until };
}

/** After so long without an end somebody must look: two nights went by. */
const RECONCILE_LATE_MS = 2 * DAY_MS;

/** Logs `reconcile-late` where none came to its end for two days. */
export async function tellLateReconcile({ records }: Pick<Services, 'records'>, at: Date): Promise<void> {
  const { notes } = records;
  const { reconcile: last, reconcileAwaited } = await notes.read();
  const since = last?.endedAt ?? reconcileAwaited?.since;
  // from the first hour on it is waited for
  if (since === undefined) await notes.write('reconcileAwaited', { since: at.toISOString() });
  else if (at.getTime() - new Date(since).getTime() > RECONCILE_LATE_MS)
    event('reconcile-late', { hours: Math.round((at.getTime() - new Date(since).getTime()) / 3_600_000) });
}

import { DirectoryRefused, DirectoryUnavailable } from '../../shared/directory/directory';
import { newWalk, takePage } from '../../shared/reconcile/walk';
import type { Walk } from '../../shared/records/operations-notes';
import { Conflict } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { event, warning } from '../../shared/telemetry';
import { retryAt, timeOf } from './standing';

/** What the steps of a walk are given. */
export interface WalkInput {
  /** The orchestrator's time. */
  at: string;
  /** How often in a row the page could not be taken. */
  attempt: number;
}

/** Where the walk stands: all that the orchestrator knows. */
export interface WalkStanding {
  isOver: boolean;
  part: string;
  /** Rows that were looked at so far. */
  looked: number;
  /** The page could not be taken now: when it is tried again. */
  again?: string;
}

/** So often a page waits for the directory; then the walk goes on without asking it. */
const MOST_WAITS = 5;

const standingOf = ({ endedAt, part, found }: Walk): WalkStanding => ({
  isOver: endedAt !== undefined,
  part,
  looked: found.requests + found.changes + found.memberships + found.lives + found.groups,
});

/** Begins a walk where none is under way: one that broke off goes on where it was. */
export async function beginReconcile({ records }: Services, input: WalkInput): Promise<WalkStanding> {
  const { notes } = records;
  const before = await notes.one('reconciling');
  if (before !== undefined && before.note.endedAt === undefined) return standingOf(before.note);
  const walk = newWalk(timeOf(input));
  return written(records, walk, before?.etag);
}

/**
 * Takes the next page of the walk and writes down where it stands behind it. A page that is taken twice mends nothing twice, and counts
 * once: whoever writes first.
 */
export async function reconcilePage(services: Services, input: WalkInput): Promise<WalkStanding> {
  const { records } = services;
  const at = timeOf(input);
  const before = await records.notes.one('reconciling');
  if (before === undefined) return { isOver: true, part: 'requests', looked: 0 };
  const { note: walk, etag } = before;
  if (walk.endedAt !== undefined) return ended(services, walk);
  let next: Walk;
  try {
    next = await takePage(services, walk, at, warning);
  } catch (error) {
    if (!(error instanceof DirectoryUnavailable || error instanceof DirectoryRefused)) throw error;
    if (error instanceof DirectoryUnavailable && input.attempt < MOST_WAITS)
      return { ...standingOf(walk), again: retryAt(at, input.attempt, error.retryAfterMs).toISOString() };
    warning(`the reconcile goes on without the directory: ${error.message}`);
    next = { ...walk, withoutDirectory: true };
  }
  const stands = await written(records, next, etag);
  return next.endedAt === undefined ? stands : ended(services, next);
}

async function written({ notes }: Services['records'], walk: Walk, etag: string | undefined): Promise<WalkStanding> {
  try {
    await notes.replace('reconciling', walk, etag);
    return standingOf(walk);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    const stands = (await notes.one('reconciling'))?.note;
    return standingOf(stands ?? walk);
  }
}

/** The summary stays when the next walk begins. */
async function ended({ records }: Services, { startedAt, endedAt = startedAt, found }: Walk): Promise<WalkStanding> {
  const { first: _first, ...counts } = found;
  const before = await records.notes.one('reconcile');
  if (before?.note.startedAt !== startedAt) {
    event('reconcile', { ...counts, minutes: minutesBetween(startedAt, endedAt) });
    await records.notes.write('reconcile', { startedAt, endedAt, found });
  }
  return {
    isOver: true,
    part: 'memberships',
    looked: counts.requests + counts.changes + counts.memberships + counts.lives + counts.groups,
  };
}

const minutesBetween = (from: string, to: string): number =>
  Math.round((new Date(to).getTime() - new Date(from).getTime()) / 60_000);

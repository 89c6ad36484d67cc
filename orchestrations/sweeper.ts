import { isOpen, isOverdue } from '../shared/domain/join-request';
import type { JoinRequest } from '../shared/domain/join-request';
import type { OpenRow } from '../shared/records/open-rows';
import type { Services } from '../shared/services';
import type { GrantWorkflows } from './grant';
import type { JoinWorkflows } from './join-request';

/** A pointer that names nothing, or an older state, is removed after this long: until then its writer may be between two writes. */
const STALE_MS = 600_000;
/** What one sweep takes on; the next one comes in a minute. */
const MOST_PER_SWEEP = 500;
const PARALLEL = 8;

export interface Sweep {
  /** Overdue rows that were looked at. */
  overdue: number;
  /** Grants whose time is over. */
  ended: number;
  started: number;
  woken: number;
  /** Pointers that pointed to nothing any more. */
  removed: number;
  /** Rows that could not be mended this time; the next sweep takes them again. */
  failed: number;
}

export interface Workflows {
  join: JoinWorkflows;
  grant: GrantWorkflows;
}

/**
 * Starts the end of grants whose time is over, and starts or wakes what is due and not done: whatever crashed between two steps is mended within two minutes of when it would first
 * matter. Reads only rows that are overdue, so sleeping requests cost nothing.
 */
export async function sweep(
  { records }: Services,
  workflows: Workflows,
  at: Date,
  warn: (message: string) => void,
): Promise<Sweep> {
  const result: Sweep = { overdue: 0, ended: 0, started: 0, woken: 0, removed: 0, failed: 0 };
  const rows: OpenRow[] = [];
  for await (const row of records.open.due(at)) {
    if (row.kind === 'join' && !isOverdue(row, at)) continue;
    rows.push(row);
    if (rows.length >= MOST_PER_SWEEP) break;
  }
  result.overdue = rows.filter(({ kind }) => kind === 'join').length;

  const mend = async (row: OpenRow): Promise<void> => {
    const stored = await records.requests.read(row.requestId);
    if (!isCurrent(row, stored?.request)) {
      if (at.getTime() - new Date(row.due).getTime() < STALE_MS) return;
      await records.open.delete(row);
      result.removed += 1;
    } else if (row.kind === 'grant') {
      if (await workflows.grant.end(row.requestId)) result.ended += 1;
    } else if (await workflows.join.start(row.requestId)) {
      result.started += 1;
    } else {
      await workflows.join.wake(row.requestId);
      result.woken += 1;
    }
  };
  const worker = async (): Promise<void> => {
    for (let row = rows.shift(); row !== undefined; row = rows.shift()) {
      try {
        await mend(row);
      } catch (error) {
        result.failed += 1;
        warn(`request ${row.requestId} could not be mended: ${String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return result;
}

/** Whether the row still points to something that is to be done. */
function isCurrent({ kind, due }: OpenRow, request: JoinRequest | undefined): boolean {
  if (request === undefined) return false;
  if (kind === 'grant') return request.state === 'granted' && request.grant?.until === due;
  return request.due === due && (isOpen(request) || !request.told);
}

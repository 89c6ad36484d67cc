import { isOverdue } from '../shared/domain/join-request';
import { inParallel } from '../shared/parallel';
import { isAbandoned, rowKey } from '../shared/records/open-rows';
import type { OpenRow } from '../shared/records/open-rows';
import { pointedTo } from '../shared/records/pointed-to';
import type { Services } from '../shared/services';
import type { GrantWorkflows } from './grant';
import type { ChangeWorkflows } from './group-change';
import type { LifeWorkflows } from './group-life';
import type { JoinWorkflows } from './join-request';
import type { CareWorkflows } from './ownerless';

/** What one sweep takes on; the next one comes in a minute. */
const MOST_PER_SWEEP = 500;
const PARALLEL = 8;

export interface Sweep {
  /** Overdue rows that were looked at. */
  overdue: number;
  /** Grants of which a warning or the end is due. */
  grants: number;
  /** Groups of whose life a step is due. */
  lives: number;
  /** Groups with too few owners that were to be looked at. */
  cared: number;
  started: number;
  woken: number;
  /** Pointers that pointed to nothing any more. */
  removed: number;
  /** Rows that could not be mended this time; the next sweep takes them again. */
  failed: number;
  /** Where more was due than one sweep takes on: the next one goes on from here, so that what stands still is in nobody's way. */
  next?: string;
}

export interface Workflows {
  join: JoinWorkflows;
  grant: GrantWorkflows;
  change: ChangeWorkflows;
  life: LifeWorkflows;
  care: CareWorkflows;
}

/** Nobody else starts what these have due, so nothing was missed when it is: they are taken up at once. */
const isTimed = ({ kind }: OpenRow): boolean => kind === 'grant' || kind === 'life';

/**
 * Starts what grants and the lives of groups have due, and starts or wakes what is due and not done: whatever crashed between two steps is mended within two
 * minutes of when it would first matter. Reads only rows that are overdue, so sleeping requests cost nothing.
 * @param from where the sweep before stopped
 */
export async function sweep(
  { records }: Services,
  workflows: Workflows,
  at: Date,
  warn: (message: string) => void,
  from?: string,
): Promise<Sweep> {
  const result: Sweep = { overdue: 0, grants: 0, lives: 0, cared: 0, started: 0, woken: 0, removed: 0, failed: 0 };
  const rows: OpenRow[] = [];
  for await (const row of records.open.due(at, from)) {
    if (!isTimed(row) && !isOverdue(row, at)) continue;
    rows.push(row);
    if (rows.length < MOST_PER_SWEEP) continue;
    result.next = rowKey(row);
    break;
  }
  result.overdue = rows.filter((row) => !isTimed(row) && row.kind !== 'care').length;

  const mend = async (row: OpenRow): Promise<void> => {
    const { isCurrent, request } = await pointedTo(records, row);
    const trace = request?.trace;
    if (!isCurrent) {
      if (!isAbandoned(row, at)) return;
      await records.open.delete(row);
      result.removed += 1;
    } else if (row.kind === 'grant') {
      if (await workflows.grant.attend(row.requestId, trace)) result.grants += 1;
    } else if (row.kind === 'life') {
      if (await workflows.life.attend(row.requestId)) result.lives += 1;
    } else if (row.kind === 'care') {
      if (await workflows.care.attend(row.requestId)) result.cared += 1;
    } else {
      // its first step would have: operations see it also where no step comes
      if (request !== undefined) await records.lists.index(request);
      if (await workflows[row.kind].resume(row.requestId, trace)) result.started += 1;
      else result.woken += 1;
    }
  };
  await inParallel(PARALLEL, rows, async (row) => {
    try {
      await mend(row);
    } catch (error) {
      result.failed += 1;
      warn(`request ${row.requestId} could not be mended: ${String(error)}`);
    }
  });
  return result;
}

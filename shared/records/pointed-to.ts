import type { JoinRequest } from '../domain/join-request';
import { lifePointers } from './group-lives';
import { sameRow } from './open-rows';
import type { OpenRow } from './open-rows';
import type { Records } from './records';

/** What stands behind an open row. */
export interface PointedTo {
  /** `false` where nothing of that id stands, or not yet: the row is put before what it points to is written. */
  isThere: boolean;
  /** The row still says when something of it is to be done. */
  isCurrent: boolean;
  /** Of a join request, or of its grant. */
  request?: JoinRequest;
}

/** Reads what an open row points to: a row is a pointer, and may be an older one. One read. */
export async function pointedTo(records: Records, row: OpenRow): Promise<PointedTo> {
  const { lives, requests } = records;
  const { kind, requestId } = row;
  const behind = (rows: readonly OpenRow[] | undefined): PointedTo => ({
    isThere: rows !== undefined,
    isCurrent: rows?.some((other) => sameRow(row, other)) === true,
  });
  if (kind === 'life') {
    const stored = await lives.read(requestId);
    return behind(stored && lifePointers(stored.life));
  }
  if (kind === 'join' || kind === 'grant') {
    const stored = await requests.read(requestId);
    return { ...behind(stored && requests.pointers(stored.request)), ...(stored && { request: stored.request }) };
  }
  if (kind === 'change') {
    const stored = await records.changes.read(requestId);
    return behind(stored && records.changes.pointers(stored.request));
  }
  const stored = await records.cares.read(requestId);
  return behind(stored && records.cares.pointers(stored.request));
}

import { odata } from '@azure/data-tables';

import { dayOf, nextDay } from '../domain/audit-chain';
import type { Copied } from './copy';
import type { AuditCopy } from './copy';

/** What entries are looked for. Ids are in lower case. */
export interface AuditFilter {
  /** From this moment on; absent only with `requestId`. */
  from?: Date;
  /** Before this moment. */
  to: Date;
  /** Who acted, or on whose behalf a system did. */
  actor?: string;
  group?: string;
  /** Whom it is about. */
  person?: string;
  event?: string;
  requestId?: string;
}

/** An entry that was found, or none where a day came to its end: the place from which a later search goes on. */
export interface Found {
  copied?: Copied;
  cursor: string;
}

/** Where a search goes on: a day (empty in a request's own trail) and the key of the last row that was read. */
const CURSOR = /^(\d{4}-\d\d-\d\d)?~([\x21-\x7e]{0,200})$/;
export const isCursor = (text: string): boolean => CURSOR.test(text);

/** Entries of the copy in order of the day they were copied on, then of time. */
export function searchAudit(
  audit: AuditCopy,
  filter: AuditFilter,
  at: Date,
  after: string | undefined,
  pageSize: number,
): AsyncGenerator<Found> {
  return filter.requestId === undefined
    ? searchDays(audit, filter, at, after, pageSize)
    : searchRequest(audit, filter.requestId, filter, after);
}

async function* searchRequest(
  audit: AuditCopy,
  requestId: string,
  filter: AuditFilter,
  after: string | undefined,
): AsyncGenerator<Found> {
  const last = Number(CURSOR.exec(after ?? '~0')?.[2] ?? 0);
  // ids are random: only one of the two kinds has this one
  for (const kind of ['r', 'c'])
    for await (const copied of audit.ofChain(`${kind}_${requestId}`, last + 1))
      if (matches(copied, filter)) yield { copied, cursor: `~${String(copied.entry.seq)}` };
}

function matches({ groupId, personId, entry }: Copied, filter: AuditFilter): boolean {
  const { from, to, actor, group, person, event } = filter;
  return (
    (from === undefined || entry.at >= from.toISOString()) &&
    entry.at < to.toISOString() &&
    (actor === undefined || entry.by.id === actor || entry.onBehalfOf?.id === actor) &&
    (group === undefined || groupId === group) &&
    (person === undefined || personId === person) &&
    (event === undefined || entry.event === event)
  );
}

async function* searchDays(
  audit: AuditCopy,
  filter: AuditFilter,
  at: Date,
  after: string | undefined,
  pageSize: number,
): AsyncGenerator<Found> {
  const { from = new Date(0), to, actor, group, person, event } = filter;
  const [, firstDay, firstKey = ''] = CURSOR.exec(after ?? '') ?? [];
  const days = (await daysOf(audit, from, to, at)).filter((day) => firstDay === undefined || day >= firstDay);
  const fields = [
    ...(actor === undefined ? [] : [odata`(byId eq ${actor} or onBehalfOfId eq ${actor})`]),
    ...(group === undefined ? [] : [odata`groupId eq ${group}`]),
    ...(person === undefined ? [] : [odata`personId eq ${person}`]),
    ...(event === undefined ? [] : [odata`event eq ${event}`]),
  ];
  for (const day of days) {
    const start =
      day === firstDay && firstKey !== '' ? odata`RowKey gt ${firstKey}` : odata`RowKey ge ${from.toISOString()}`;
    const where = [start, odata`RowKey lt ${to.toISOString()}`, ...fields].join(' and ');
    for await (const { key, ...copied } of audit.ofDay(day, where, pageSize)) yield { copied, cursor: `${day}~${key}` };
    yield { cursor: `${nextDay(day)}~` };
  }
}

/** The days on which entries of that time were copied: their own, the one after, and later ones that are written down. */
async function daysOf(audit: AuditCopy, from: Date, to: Date, at: Date): Promise<string[]> {
  // nothing is older than the first day that was copied, or newer than today
  const first = await audit.firstDay();
  if (first === undefined) return [];
  const latest = [nextDay(dayOf(to)), dayOf(at)].sort()[0] ?? '';
  const days = new Set<string>();
  for (let day = [first, dayOf(from)].sort().at(-1) ?? first; day <= latest; day = nextDay(day)) days.add(day);
  for (const day of await audit.lateDays(dayOf(from), dayOf(to))) days.add(day);
  return [...days].sort();
}

import { odata } from '@azure/data-tables';

import { isOpen } from '../domain/join-request';
import type { JoinRequest } from '../domain/join-request';
import { briefOf } from './brief';
import type { Brief } from './brief';
import type { Listed } from './dossiers';
import type { Table } from './tables';

export interface BriefPage {
  rows: Brief[];
  /** The key to go on from, while there is more. */
  next?: string;
}

/** Lists of requests that operations look through: the open ones by age, and all of a person or of a group, newest first. */
export interface Lists extends Listed<JoinRequest> {
  /**
   * Puts it onto its lists: that of its person, that of its group and, while it is open, the one by age. Its first step does, for nobody
   * who files waits for that, or the sweeper where the first step does not come.
   */
  index(request: JoinRequest): Promise<void>;
  /** Which of the lists that it must stand on it does not: that of open ones, those of its person and its group. */
  missing(request: JoinRequest): Promise<('open' | 'subjects')[]>;
  /** Takes one that is closed off the list of open ones. */
  takeOff(requestId: string, filedAt: string): Promise<void>;
  /**
   * Open requests, oldest first.
   * @param from where the list is likely to begin: so that a page is read from a short range, however long the list is
   */
  byAge(size: number, after: string, from?: Date): Promise<BriefPage>;
  /** How many are open behind the key `after`, of at most `most` that are looked at. */
  count(after: string, most: number): Promise<{ count: number; next?: string }>;
  /** Ids of a person's or a group's requests, newest first. */
  of(kind: Subject, id: string, size: number, after: string): Promise<{ ids: string[]; next?: string }>;
}
export type Subject = 'person' | 'group';

const OPEN = 'open';
const ageKey = (filedAt: string, id: string): string => `${filedAt}_${id}`;

/** A page of a long list is looked for in the first hour of it, then in the first day, then in all of it. */
const SPANS_MS = [3_600_000, 86_400_000];

/** Newest first: rows come in the order of their keys only. */
const LAST_MS = 9_999_999_999_999;
const subjectKey = (filedAt: string, id: string): string =>
  `${String(LAST_MS - new Date(filedAt).getTime()).padStart(13, '0')}_${id}`;
const subjectPartition = (kind: Subject, id: string): string => `${kind === 'person' ? 'p' : 'g'}_${id}`;

/** @param byAge open requests by age @param bySubject all requests by person and group */
export function lists(byAge: Table, bySubject: Table): Lists {
  const putOpen = (brief: Brief): Promise<void> =>
    byAge.put({ partitionKey: OPEN, rowKey: ageKey(brief.filedAt, brief.id), brief: JSON.stringify(brief) });

  const pageBetween = async (size: number, after: string, before: string | undefined): Promise<BriefPage> => {
    const all = odata`RowKey gt ${after} and PartitionKey eq ${OPEN}`;
    // what keeps most rows out stands first
    const filter = before === undefined ? all : `${odata`RowKey lt ${before}`} and ${all}`;
    const rows: Brief[] = [];
    for await (const row of byAge.list(filter, size + 1)) {
      const last = rows.at(-1);
      if (rows.length === size && last !== undefined) return { rows, next: ageKey(last.filedAt, last.id) };
      rows.push(JSON.parse(String(row['brief'])) as Brief);
    }
    return { rows };
  };

  return {
    index: async (request) => {
      const { id, filedAt, group, requester } = request;
      const rowKey = subjectKey(filedAt, id);
      await Promise.all([
        // one that was closed meanwhile is taken off when its outcome is told
        isOpen(request) ? putOpen(briefOf(request)) : undefined,
        bySubject.put({ partitionKey: subjectPartition('person', requester.id), rowKey }),
        bySubject.put({ partitionKey: subjectPartition('group', group.id), rowKey }),
      ]);
    },
    changed: async (before, after) => {
      if (isOpen(after)) {
        const brief = briefOf(after);
        if (JSON.stringify(brief) !== JSON.stringify(briefOf(before))) await putOpen(brief);
        // a row that stays because its removal got lost goes when the outcome is told
      } else if (isOpen(before) || (after.told && !before.told)) {
        await byAge.delete(OPEN, ageKey(after.filedAt, after.id));
      }
    },
    missing: async (request) => {
      const { id, filedAt, group, requester } = request;
      const rowKey = subjectKey(filedAt, id);
      const [open, ofPerson, ofGroup] = await Promise.all([
        isOpen(request) ? byAge.get(OPEN, ageKey(filedAt, id)) : true,
        bySubject.get(subjectPartition('person', requester.id), rowKey),
        bySubject.get(subjectPartition('group', group.id), rowKey),
      ]);
      return [
        ...(open === undefined ? (['open'] as const) : []),
        ...(ofPerson === undefined || ofGroup === undefined ? (['subjects'] as const) : []),
      ];
    },
    takeOff: (requestId, filedAt) => byAge.delete(OPEN, ageKey(filedAt, requestId)),
    byAge: async (size, after, from) => {
      const start = after === '' ? from : new Date(after.slice(0, after.indexOf('_')));
      const isKnown = start !== undefined && !Number.isNaN(start.getTime());
      const spans = isKnown ? SPANS_MS.map((ms) => new Date(start.getTime() + ms).toISOString()) : [];
      for (const before of [...spans, undefined]) {
        const page = await pageBetween(size, after, before);
        // what the span holds fills the page, and there is more behind it
        if (before === undefined || page.next !== undefined) return page;
      }
      return { rows: [] };
    },
    count: async (after, most) => {
      let count = 0;
      let last = after;
      for await (const { rowKey = '' } of byAge.list(odata`PartitionKey eq ${OPEN} and RowKey gt ${after}`)) {
        if (count === most) return { count, next: last };
        count += 1;
        last = rowKey;
      }
      return { count };
    },
    of: async (kind, id, size, after) => {
      const ids: string[] = [];
      let last = '';
      const range = odata`PartitionKey eq ${subjectPartition(kind, id)} and RowKey gt ${after}`;
      for await (const { rowKey = '' } of bySubject.list(range, size + 1)) {
        if (ids.length === size) return { ids, next: last };
        ids.push(rowKey.slice(rowKey.indexOf('_') + 1));
        last = rowKey;
      }
      return { ids };
    },
  };
}

import { isOverdue } from '../domain/join-request';
import { permissionsIn } from '../readiness';
import type { Readiness } from '../readiness';
import type { Brief } from '../records/brief';
import { briefOf } from '../records/brief';
import type { QuotaUse } from '../records/mail-quota';
import { NEVER_DUE } from '../records/open-rows';
import type { Notes } from '../records/operations-notes';
import type { Services } from '../services';

/** How Gatehouse itself is: what it noted, the mail quota, and its permissions on Microsoft Graph. */
export interface Running {
  notes: Notes;
  quota: { minute: QuotaUse; hour: QuotaUse };
  permissions: Pick<Readiness, 'graphPermissions' | 'missing' | 'excessive'>;
}

/** Two reads of storage, and a token that the identity keeps. */
export async function running({ config, records, credential }: Services, at: Date): Promise<Running> {
  const [notes, quota, token] = await Promise.all([
    records.notes.read(),
    records.quota.used(at),
    credential.getToken(config.GRAPH_SCOPE).then(
      (given) => given?.token,
      () => undefined,
    ),
  ]);
  return { notes, quota, permissions: permissionsIn(token, config) };
}

/** A list, of which only so much is shown. */
export interface Some {
  rows: Brief[];
  more: boolean;
}

/** Requests whose application failed: they wait for operations. One read. */
export async function failedRequests({ records }: Services, most: number): Promise<Some> {
  const rows = await records.open.between(NEVER_DUE, undefined, most + 1);
  return {
    rows: rows.slice(0, most).flatMap(({ brief }) => (brief === undefined ? [] : [brief])),
    more: rows.length > most,
  };
}

/** So many overdue pointers are looked at, whatever they point to. */
const MOST_POINTERS = 100;
const LATE_MS = 60_000;

/** Requests of which a step is due and not done. One read, and one for each that is found: a pointer may be an older one. */
export async function stuckRequests({ records }: Services, at: Date, most: number): Promise<Some> {
  const rows = await records.open.between(new Date(0), new Date(at.getTime() - LATE_MS), MOST_POINTERS);
  const joins = rows.filter(({ kind }) => kind === 'join');
  const looked = await Promise.all(
    joins.slice(0, most).map(async ({ requestId, due }) => {
      const stored = await records.requests.read(requestId);
      return stored?.request.due === due && isOverdue(stored.request, at) ? briefOf(stored.request) : undefined;
    }),
  );
  return { rows: looked.filter((brief) => brief !== undefined), more: joins.length > most };
}

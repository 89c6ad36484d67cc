import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';

import type { Copied } from '../shared/audit/copy';
import { BYTE_ORDER_MARK, csvLine } from '../shared/audit/csv';
import { isCursor, searchAudit } from '../shared/audit/search';
import type { AuditFilter } from '../shared/audit/search';
import { isOfRequest } from '../shared/records/audit';
import { ROLES } from '../shared/web/tokens';
import { actorOf, door, json } from './door';
import type { Visit } from './door';
import { nextOf, queryOf } from './paging';

const DAYS_BACK = 30;
const DAY_MS = 86_400_000;
/** A page that finds little ends after so many days: the next one goes on there. */
const DAYS_PER_PAGE = 100;

const moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: 'Give a time such as 2026-11-24T08:00:00Z, or a day such as 2026-11-24.',
  })
  .transform((text) => new Date(text));
const objectId = z.guid('Give an object id.').transform((id) => id.toLowerCase());

const auditQuery = z.strictObject({
  from: moment.optional().describe('From this moment on; 30 days before `to` where nothing is given.'),
  to: moment.optional().describe('Before this moment; now where nothing is given.'),
  actor: z
    .union([objectId, z.literal('gatehouse')], { error: 'Give an object id, or gatehouse.' })
    .optional()
    .describe('Who acted, or on whose behalf a system did.'),
  group: objectId.optional(),
  person: objectId.optional().describe('Whom it is about.'),
  event: z
    .string()
    .regex(/^[a-z-]{1,40}$/, 'Give the name of an event, such as granted.')
    .optional(),
  requestId: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'Give the id of a join request: 32 hexadecimal digits.')
    .optional(),
  pageSize: z.coerce.number().int().min(1).max(1_000).default(100),
  after: z.string().refine(isCursor, 'Follow nextLink as it was given.').optional(),
});
type AuditQuery = z.output<typeof auditQuery>;

const facts = z.record(z.string(), z.unknown());
const entrySchema = z.object({
  at: z.string(),
  event: z.string(),
  by: z.object({ kind: z.string(), id: z.string(), name: z.string().optional() }),
  onBehalfOf: z.object({ kind: z.string(), id: z.string() }).optional(),
  requestId: z.string().optional(),
  groupId: z.string().optional(),
  personId: z.string().optional(),
  route: z.string(),
  policyVersion: z.string().optional(),
  from: z.object({ address: z.string().optional(), agent: z.string().optional() }).optional(),
  before: facts.optional(),
  after: facts.optional(),
  data: facts.optional(),
  chain: z.string(),
  seq: z.int(),
  previousHash: z.string(),
  hash: z.string(),
});
type ListedEntry = z.output<typeof entrySchema>;

function describe({ chain, groupId, personId, entry }: Copied): ListedEntry {
  const { hashVersion: _version, ...rest } = entry;
  return {
    ...rest,
    chain,
    ...(isOfRequest(chain) && { requestId: chain.slice(2) }),
    ...(groupId !== undefined && { groupId }),
    ...(personId !== undefined && { personId }),
  };
}

const COLUMNS: readonly [string, (entry: ListedEntry) => unknown][] = [
  ['at', ({ at }) => at],
  ['event', ({ event }) => event],
  ['byKind', ({ by }) => by.kind],
  ['byId', ({ by }) => by.id],
  ['byName', ({ by }) => by.name],
  ['onBehalfOf', ({ onBehalfOf }) => onBehalfOf?.id],
  ['requestId', ({ requestId }) => requestId],
  ['groupId', ({ groupId }) => groupId],
  ['personId', ({ personId }) => personId],
  ['route', ({ route }) => route],
  ['policyVersion', ({ policyVersion }) => policyVersion],
  ['address', ({ from }) => from?.address],
  ['agent', ({ from }) => from?.agent],
  ['before', ({ before }) => before],
  ['after', ({ after }) => after],
  ['data', ({ data }) => data],
  ['chain', ({ chain }) => chain],
  ['seq', ({ seq }) => seq],
  ['hash', ({ hash }) => hash],
];

const cell = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);

const FORMATS = {
  'text/csv': {
    head: BYTE_ORDER_MARK + csvLine(COLUMNS.map(([name]) => name)),
    line: (entry: ListedEntry) => csvLine(COLUMNS.map(([, of]) => cell(of(entry)))),
    type: 'text/csv; charset=utf-8; header=present',
    file: 'audit.csv',
  },
  'application/jsonl': {
    head: '',
    line: (entry: ListedEntry) => `${JSON.stringify(entry)}\n`,
    type: 'application/jsonl; charset=utf-8',
    file: 'audit.jsonl',
  },
} as const;
type Format = (typeof FORMATS)[keyof typeof FORMATS];

/** The first format in `Accept` that is one of ours; JSON otherwise. */
function formatOf(accept: string): Format | undefined {
  for (const range of accept.toLowerCase().split(',')) {
    const type = range.split(';')[0]?.trim() ?? '';
    if (type === 'application/json') return undefined;
    if (type === 'text/csv' || type === 'application/jsonl') return FORMATS[type];
  }
  return undefined;
}

function filterOf({ pageSize: _size, after: _after, from, to, ...rest }: AuditQuery, at: Date): AuditFilter {
  const end = to ?? at;
  const start = from ?? (rest.requestId === undefined ? new Date(end.getTime() - DAYS_BACK * DAY_MS) : undefined);
  return { ...rest, to: end, ...(start !== undefined && { from: start }) };
}

/** Everything that is found, as it is read: nothing is kept in memory where the host streams. */
function exported(
  { services, at }: Visit<unknown>,
  filter: AuditFilter,
  { head, line, type, file }: Format,
): HttpResponseInit {
  const found = searchAudit(services.audit, filter, at, undefined, 1_000);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (head !== '') controller.enqueue(encoder.encode(head));
    },
    pull: async (controller) => {
      // many entries at once: each piece costs the host a message
      let piece = '';
      while (piece.length < 65_536) {
        const next = await found.next();
        if (next.done === true) {
          if (piece !== '') controller.enqueue(encoder.encode(piece));
          controller.close();
          return;
        }
        const { copied } = next.value;
        if (copied !== undefined) piece += line(describe(copied));
      }
      controller.enqueue(encoder.encode(piece));
    },
    cancel: async () => {
      await found.return(undefined);
    },
  });
  return {
    status: 200,
    headers: {
      'content-type': type,
      'content-disposition': `attachment; filename="${file}"`,
      'cache-control': 'no-store',
    },
    body,
  };
}

const reading = door({
  name: 'readAudit',
  method: 'GET',
  route: 'audit',
  admits: { people: false, roles: [ROLES.audit] },
  rule: 'Auditors read all entries.',
  api: {
    summary: 'The audit trail, in order of time; as CSV or JSON lines where Accept says text/csv or application/jsonl',
    query: auditQuery,
    answers: {
      200: {
        description:
          'One page, which may hold fewer entries than asked for, or none; `nextLink` is there while there is more. CSV and JSON lines hold everything that was asked for.',
        body: z.object({ value: z.array(entrySchema), nextLink: z.string().optional() }),
      },
    },
  },
  params: z.record(z.string(), z.string()),
  handle: async (visit) => {
    const { request, services, caller, at, log } = visit;
    const query = queryOf(request, auditQuery);
    const filter = filterOf(query, at);
    log.log(`audit read by ${actorOf(caller).id} ${JSON.stringify(filter)}`);
    const format = formatOf(request.headers.get('accept') ?? '');
    if (format !== undefined) return exported(visit, filter, format);

    const { pageSize, after } = query;
    const value: ListedEntry[] = [];
    let days = 0;
    let cursor: string | undefined;
    for await (const found of searchAudit(services.audit, filter, at, after, pageSize + 1)) {
      // one more than fits, or a long search that found little
      if (value.length === pageSize && found.copied !== undefined)
        return json(200, page(visit, query, filter, value, cursor));
      if (found.copied === undefined) days += 1;
      else value.push(describe(found.copied));
      cursor = found.cursor;
      if (days === DAYS_PER_PAGE) return json(200, page(visit, query, filter, value, cursor));
    }
    return json(200, page(visit, query, filter, value, undefined));
  },
});

/** The page; its link names the end of the time that was asked for, so that later pages end where the first one would have. */
function page(
  { request, services }: Visit<unknown>,
  { pageSize }: AuditQuery,
  { from, to }: AuditFilter,
  value: ListedEntry[],
  after: string | undefined,
): { value: ListedEntry[]; nextLink?: string } {
  const given = { ...Object.fromEntries(request.query), from: from?.toISOString(), to: to.toISOString(), pageSize };
  return { value, ...nextOf(services, 'audit', given, after) };
}

export const doors = [reading] as const;

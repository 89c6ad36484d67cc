import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';

import { BYTE_ORDER_MARK } from '../shared/audit/csv';
import type { Spent } from '../shared/directory/graph-reader';
import { isPlace, MOST_ON_A_PAGE } from '../shared/directory/group-listing';
import { addToTotals, exitCriteria, NO_TOTALS, ownersAnnouncement } from '../shared/domain/self-service-report';
import type { ReportTotals } from '../shared/domain/self-service-report';
import {
  csvHead,
  csvOf,
  endSchema,
  headSchema,
  jsonDocument,
  lineSchema,
  OWNERS_GROUPS,
} from '../shared/reports/document';
import type { ReportEnd, ReportHead, ReportLine } from '../shared/reports/document';
import { readGround, situations } from '../shared/reports/self-service';
import type { Ground, ReportPiece } from '../shared/reports/self-service';
import { ROLES } from '../shared/web/tokens';
import { actorOf, door } from './door';
import { queryOf } from './paging';
import { notExpired } from './self-service';

const reportQuery = z.strictObject({
  after: z
    .string()
    .refine(isPlace, 'Give `after` as the last line that you have with one gave it.')
    .optional()
    .describe('Goes on behind the line that held this.'),
  members: z.enum(['count', 'none']).default('count').describe('none: members are not counted, in half the time.'),
  pageSize: z.coerce
    .number()
    .int()
    .min(1)
    .max(MOST_ON_A_PAGE)
    .default(MOST_ON_A_PAGE)
    .describe('Groups between two lines with `after`.'),
});

interface Format {
  type: string;
  file: string;
  head(head: ReportHead): string;
  line(line: ReportLine, isFirst: boolean): string;
  end(end: ReportEnd): string;
}

const FORMATS: Record<'text/csv' | 'application/jsonl' | 'application/json', Format> = {
  'text/csv': {
    type: 'text/csv; charset=utf-8; header=present',
    file: 'self-service.csv',
    head: () => BYTE_ORDER_MARK + csvHead(),
    line: csvOf,
    end: () => '',
  },
  'application/jsonl': {
    type: 'application/jsonl; charset=utf-8',
    file: 'self-service.jsonl',
    head: (head) => `${JSON.stringify({ head })}\n`,
    line: (group) => `${JSON.stringify({ group })}\n`,
    end: (end) => `${JSON.stringify({ end })}\n`,
  },
  'application/json': {
    type: 'application/json; charset=utf-8',
    file: 'self-service.json',
    ...jsonDocument,
  },
};

/** The first format in `Accept` that is one of ours; JSON otherwise. */
function formatOf(accept: string): Format {
  for (const range of accept.toLowerCase().split(',')) {
    const type = range.split(';')[0]?.trim() ?? '';
    if (type in FORMATS) return FORMATS[type as keyof typeof FORMATS];
  }
  return FORMATS['application/json'];
}

interface Report {
  head: ReportHead;
  ground: Ground;
  /** Read already, so that an answer begins only where Microsoft Graph gives one. */
  first: IteratorResult<ReportPiece, void>;
  rest: AsyncGenerator<ReportPiece, void>;
  isWhole: boolean;
  stop: () => void;
}

function endOf({ head, ground: { inForce }, isWhole }: Report, totals: ReportTotals, spent: Spent): ReportEnd {
  const { stages, maximumDuration } = inForce.policy;
  const policy = {
    deadline: stages[0]?.deadline ?? 'P14D',
    ...(maximumDuration !== undefined && { maximumDuration }),
  };
  return {
    complete: isWhole,
    totals: { ...totals },
    checklist: exitCriteria(totals, isWhole, head.defaultPolicy),
    announcement: ownersAnnouncement(OWNERS_GROUPS, { groups: totals.byStanding['self-service'], ...policy }),
    policy,
    spent,
  };
}

/** The report as text, piece by piece: nothing is kept in memory but the sums. */
async function* written(report: Report, format: Format): AsyncGenerator<string, void> {
  yield format.head(report.head);
  let totals = NO_TOTALS;
  let spent: Spent = { graphCalls: 0, throttled: 0 };
  for (let next = report.first; next.done !== true; next = await report.rest.next()) {
    const { lines, after, spent: soFar } = next.value;
    let text = '';
    for (const [index, line] of lines.entries()) {
      const isLast = index === lines.length - 1;
      text += format.line({ ...line, ...(isLast && after !== undefined && { after }) }, totals.groups === 0);
      totals = addToTotals(totals, line);
    }
    spent = soFar;
    if (text !== '') yield text;
  }
  yield format.end(endOf(report, totals, spent));
}

function answer(report: Report, format: Format): HttpResponseInit {
  const text = written(report, format);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const next = await text.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    cancel: () => {
      report.stop();
    },
  });
  return {
    status: 200,
    headers: {
      'content-type': format.type,
      'content-disposition': `attachment; filename="${format.file}"`,
      'cache-control': 'no-store',
    },
    body,
  };
}

const reading = door({
  name: 'readSelfServiceReport',
  method: 'GET',
  route: 'reports/self-service',
  admits: { people: false, roles: [ROLES.policy] },
  rule: 'Administrators only.',
  api: {
    summary:
      'Every group of the tenant, whether its owners can manage its membership, and the exit criteria; as CSV or JSON lines where Accept says text/csv or application/jsonl',
    query: reportQuery,
    answers: {
      200: {
        description:
          'Sent as it is read. An answer that breaks off before its end goes on with `?after=` of its last line that has one; lines behind that come again. CSV holds the lines alone; of JSON lines the first is `{ "head": … }`, the last `{ "end": … }`, each between them `{ "group": … }`.',
        body: headSchema.extend({ value: z.array(lineSchema) }).extend(endSchema.shape),
      },
      410: { description: '`after` is too old. Start again without it.' },
    },
  },
  params: z.record(z.string(), z.string()),
  handle: async ({ request, services, caller, at, log }) => {
    const query = queryOf(request, reportQuery);
    const { after, members, pageSize } = query;
    log.log(`report read by ${actorOf(caller).id}`);
    const [ground, groups, off] = await Promise.all([
      readGround(services),
      services.groups.count(),
      services.groups.off(),
    ]);
    const abort = new AbortController();
    const rest = situations(services, ground, {
      pageSize,
      countMembers: members === 'count',
      signal: abort.signal,
      ...(after !== undefined && { after }),
    });
    const report: Report = {
      head: { at: at.toISOString(), groups, defaultPolicy: ground.inForce.version, off },
      ground,
      first: await notExpired(rest.next()),
      rest,
      isWhole: after === undefined,
      stop: () => {
        abort.abort();
      },
    };
    return answer(report, formatOf(request.headers.get('accept') ?? ''));
  },
});

export const doors = [reading] as const;

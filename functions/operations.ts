import { z } from 'zod';

import { isOverdue } from '../shared/domain/join-request';
import { stageOf } from '../shared/join-requests/status';
import { NEVER_DUE } from '../shared/records/open-rows';
import type { OpenRow } from '../shared/records/open-rows';
import { fieldErrors, problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import { door, json } from './door';
import type { Visit } from './door';

const listQuery = z.object({
  pageSize: z.coerce.number().int().min(1).max(100).default(50),
  after: z.string().max(200).default(''),
});

/** Open requests, the one whose next step is due first on top. */
const listing = door({
  name: 'listOpenRequests',
  method: 'GET',
  route: 'ops/requests',
  admits: { people: false, roles: [ROLES.operations] },
  rule: 'Operations see all open requests.',
  api: {
    summary: 'Open requests, the one whose next step is due first on top',
    query: listQuery,
    answers: {
      200: {
        description: 'One page; `nextLink` is there while there is more.',
        body: z.object({ value: z.array(z.unknown()), nextLink: z.string().optional() }),
      },
    },
  },
  params: z.record(z.string(), z.string()),
  handle: async (visit) => {
    const { request, services } = visit;
    const query = listQuery.safeParse(Object.fromEntries(request.query));
    if (!query.success) throw problems.badRequest(fieldErrors(query.error));
    const { pageSize, after } = query.data;

    const { rows, next } = await services.records.open.page(pageSize, after);
    const value = (
      await Promise.all(rows.filter(({ kind }) => kind === 'join').map((row) => openRequest(visit, row)))
    ).filter((item) => item !== undefined);
    const nextLink =
      next === undefined
        ? {}
        : {
            nextLink: `${services.config.PUBLIC_BASE_URL}/api/ops/requests?${String(new URLSearchParams({ pageSize: String(pageSize), after: next }))}`,
          };
    return json(200, { value, ...nextLink });
  },
});

async function openRequest({ services, workflows, at, log }: Visit<unknown>, { due, requestId }: OpenRow) {
  const stored = await services.records.requests.read(requestId);
  if (stored === undefined || (stored.request.due ?? NEVER_DUE) !== due) return undefined;
  const { request } = stored;
  const { group, requester, state, filedAt, waitingFor, reason } = request;
  let orchestration: { runtimeStatus: string; customStatus: unknown } | null;
  try {
    orchestration = (await workflows.join.status(requestId)) ?? null;
  } catch (error) {
    log.warn(`The orchestration of ${requestId} could not be looked up: ${String(error)}`);
    orchestration = { runtimeStatus: 'Unknown', customStatus: null };
  }
  return {
    id: requestId,
    state,
    group,
    requester,
    filedAt,
    ageSeconds: Math.max(0, Math.round((at.getTime() - new Date(filedAt).getTime()) / 1_000)),
    stage: stageOf(request),
    waitingFor,
    nextStepAt: request.due,
    overdue: isOverdue(request, at),
    ...(reason !== undefined && { reason }),
    orchestration,
  };
}

export const doors = [listing] as const;

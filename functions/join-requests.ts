import { z } from 'zod';

import { checkAgainstPolicy, fileJoinRequest } from '../shared/join-requests/file';
import type { FileResult } from '../shared/join-requests/file';
import { approversNow, mayRead, readJoinRequest, statusOf, statusSchema } from '../shared/join-requests/status';
import { withdrawJoinRequest } from '../shared/join-requests/withdraw';
import { policyInForce } from '../shared/policies/in-force';
import { readJson } from '../shared/web/body';
import { Problem, problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import type { Caller } from '../shared/web/tokens';
import { withinFilingLimits } from './call-limits';
import { actorOf, door, hasRole, json, nudge } from './door';
import type { Visit } from './door';
import { groupParams, idempotencyKey, isoDuration, plainText, requestParams, userPrincipalName } from './parameters';

export const fileBody = z
  .strictObject({
    userId: z
      .guid('Give the object id of the person.')
      .transform((id) => id.toLowerCase())
      .optional()
      .describe('Object id of the person who shall become a member.'),
    userPrincipalName: userPrincipalName.optional().describe('User principal name, instead of `userId`.'),
    justification: plainText(2_000).default('').describe('Why the person needs to be a member; the approvers read it.'),
    duration: isoDuration
      .optional()
      .describe(
        'How long the membership shall last, from when it is granted; without an end where the policy allows that.',
      ),
  })
  .refine(({ userId, userPrincipalName }) => userId === undefined || userPrincipalName === undefined, {
    path: ['userPrincipalName'],
    error: 'Give userId or userPrincipalName, not both.',
  });

/** Systems name the person; a person files for themselves only. */
function personOf(caller: Caller, body: z.output<typeof fileBody>): string | undefined {
  const named = body.userId ?? body.userPrincipalName;
  if (caller.kind === 'person') {
    if (body.userPrincipalName !== undefined || (body.userId !== undefined && body.userId !== caller.id)) {
      throw problems.forbidden(
        'People ask for themselves: leave out userId and userPrincipalName. Systems with the app role Requests.Submit ask for others.',
      );
    }
    return caller.id;
  }
  return named;
}

/** Nobody is named: told together with whatever else is wrong with the body. */
async function withoutPerson(
  { services, params }: Visit<z.output<typeof groupParams>>,
  body: z.output<typeof fileBody>,
): Promise<Problem> {
  const { policy } = await policyInForce(services, params.groupId);
  const missing = { pointer: '/userId', detail: 'Say for whom: give userId or userPrincipalName.' };
  return problems.badRequest([missing, ...checkAgainstPolicy(body, policy)]);
}

const filing = door({
  name: 'fileJoinRequest',
  method: 'POST',
  route: 'groups/{groupId}/join-requests',
  admits: { people: true, roles: [ROLES.submit] },
  rule: 'A person files for themselves; a system for anyone.',
  api: {
    summary: 'Ask for a membership',
    body: fileBody,
    headers: {
      'Idempotency-Key': 'Makes a repeat of this call return the first answer and finish what was left half done.',
    },
    answers: {
      200: {
        description: 'The person has an open request for this group already: its id and state.',
        body: statusSchema.partial().required({ id: true, state: true }),
      },
      202: { description: 'Filed. `Location` is where its state is read.', body: statusSchema },
    },
  },
  params: groupParams,
  handle: async (visit) => {
    const { request, params, caller, services, workflows, via, at, log } = visit;
    const key = idempotencyKey(request.headers);
    const { value: body, text } = await readJson(request, fileBody);
    const person = personOf(caller, body);
    if (person === undefined) throw await withoutPerson(visit, body);
    const result = await fileJoinRequest(
      services,
      {
        groupId: params.groupId,
        person,
        justification: body.justification,
        ...(body.duration !== undefined && { duration: body.duration }),
        filedBy: actorOf(caller),
        admit: (id) => withinFilingLimits(visit, { groupId: params.groupId, person: id }),
        via,
        ...(key !== undefined && { idempotency: { key, body: text } }),
      },
      at,
    );
    // a repeat finishes what a crash left half done
    if (result.kind === 'filed') await nudge(log, () => workflows.join.start(result.request.id));
    return answerFiling(result, visit);
  },
});

function answerFiling(result: FileResult, { services, caller, at }: Visit<unknown>) {
  const base = services.config.PUBLIC_BASE_URL;
  switch (result.kind) {
    case 'filed': {
      const location = `${base}/api/join-requests/${result.request.id}`;
      return json(
        202,
        { ...statusOf(result.request, at), links: { self: location } },
        { location, 'retry-after': '5' },
      );
    }
    case 'open-already': {
      const { request } = result;
      const location = `${base}/api/join-requests/${request.id}`;
      const brief = { id: request.id, state: request.state };
      return json(200, mayRead(caller, request) ? { ...statusOf(request, at), links: { self: location } } : brief, {
        location,
      });
    }
    case 'refused': {
      // to a person, a group that is hidden or closed looks like one that does not exist
      if (caller.kind === 'person' && result.hidden)
        throw problems.notFound('There is no group of this id that you can ask to join.');
      const { rule, sentence } = result.refusal;
      const status = rule === 'group-not-found' || rule === 'requester-not-found' ? 404 : 409;
      const seconds =
        result.until === undefined ? undefined : Math.ceil((result.until.getTime() - at.getTime()) / 1_000);
      throw new Problem(status, rule, 'The request can’t be filed', sentence, {
        ...(seconds !== undefined && { headers: { 'retry-after': String(seconds) } }),
      });
    }
    case 'invalid':
      throw problems.badRequest(result.errors);
    case 'key-reused':
      throw new Problem(
        422,
        'idempotency-key-reused',
        'The Idempotency-Key was used before',
        'This key came with another body before. Use a new key for a new request, or send the same body to get the first answer.',
      );
    case 'in-progress':
      throw new Problem(
        409,
        'filing-in-progress',
        'The same request is being filed',
        'Another call is filing a request of this person for this group at this moment. Try again in a few seconds.',
        {
          headers: { 'retry-after': '3' },
        },
      );
  }
}

const reading = door({
  name: 'readJoinRequest',
  method: 'GET',
  route: 'join-requests/{requestId}',
  admits: { people: true, roles: [ROLES.submit, ROLES.operations] },
  rule: 'The requester, the system that filed it, whoever may decide or was asked to, operations.',
  api: {
    summary: 'The state of a request, who may decide it, and its timeline',
    answers: { 200: { description: 'What stands.', body: statusSchema } },
  },
  params: requestParams,
  handle: async ({ params, caller, services, at }) => {
    const found = await readJoinRequest(services, params.requestId, caller);
    if (found === undefined) throw problems.notFound();
    const { request, etag } = found.stored;
    const approvers = found.approvers ?? (await approversNow(services, request));
    return json(200, statusOf(request, at, found, approvers), { etag });
  },
});

const withdrawing = door({
  name: 'withdrawJoinRequest',
  method: 'POST',
  route: 'join-requests/{requestId}/withdraw',
  admits: { people: true, roles: [ROLES.submit] },
  rule: 'The requester, or the system that filed it.',
  api: {
    summary: 'Take a pending request back',
    answers: { 200: { description: 'It is withdrawn.', body: statusSchema } },
  },
  params: requestParams,
  handle: async ({ params, caller, services, workflows, via, at, log }) => {
    const before = await services.records.requests.read(params.requestId);
    if (before === undefined || !isTheirs(caller, before.request)) throw problems.notFound();
    const result = await withdrawJoinRequest(services, params.requestId, actorOf(caller), via, at);
    if (result === undefined) throw problems.notFound();
    if (!result.withdrawn) {
      throw new Problem(409, 'conflict', 'The request can’t be withdrawn any more', `It is ${result.request.state}.`, {
        with: { state: result.request.state },
      });
    }
    await nudge(log, () => workflows.join.wake(params.requestId));
    return json(200, statusOf(result.request, at));
  },
});

/** Whose request it is: the requester's, and the system's that filed it. */
const isTheirs = (
  caller: Caller,
  request: { requester: { id: string }; filedBy: { kind: string; id: string } },
): boolean =>
  caller.kind === 'person'
    ? caller.id === request.requester.id
    : hasRole(caller, ROLES.submit) &&
      request.filedBy.kind === 'app' &&
      caller.kind === 'app' &&
      request.filedBy.id === caller.id;

export const doors = [filing, reading, withdrawing] as const;

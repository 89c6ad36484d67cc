import { z } from 'zod';

import { decide, wakes } from '../shared/join-requests/decide';
import type { DecisionResult } from '../shared/join-requests/decide';
import { nudgeApprovers } from '../shared/join-requests/nudge';
import { withinNudgeLimits } from './call-limits';
import { readJoinRequest, statusOf, statusSchema } from '../shared/join-requests/status';
import { readJson } from '../shared/web/body';
import { Problem, problems } from '../shared/web/problem';
import { actorOf, door, json, nudge } from './door';
import type { Visit } from './door';
import { ownRequest } from './own-request';
import { decisionBodyFields, isoDuration, requestParams } from './parameters';

const decisionBody = z.strictObject({
  ...decisionBodyFields('The requester'),
  duration: isoDuration.optional().describe('With an approval: a shorter membership than was asked for.'),
  stage: z
    .int()
    .min(1)
    .optional()
    .describe(
      'The number of the stage that is decided, as the status shows it; a call that is repeated then never decides the next one.',
    ),
});

const deciding = door({
  name: 'decideJoinRequest',
  method: 'POST',
  route: 'join-requests/{requestId}/decision',
  admits: { people: true, roles: [] },
  rule: 'People who may decide at this moment; never the requester, never an app.',
  api: {
    summary: 'Approve or deny a request',
    body: decisionBody,
    answers: { 200: { description: 'The decision stands; what stands with it.', body: statusSchema } },
  },
  params: requestParams,
  handle: async (visit) => {
    const { request, params, caller, services, workflows, via, at, log } = visit;
    const { value: body } = await readJson(request, decisionBody);
    if (caller.kind !== 'person' || (await readJoinRequest(services, params.requestId, caller)) === undefined)
      throw problems.notFound();
    const result = await decide(
      services,
      {
        requestId: params.requestId,
        by: caller,
        choice: body.decision,
        ...(body.comment !== undefined && body.comment !== '' && { comment: body.comment }),
        ...(body.duration !== undefined && { duration: body.duration }),
        ...(body.stage !== undefined && { stage: body.stage - 1 }),
        via,
      },
      at,
    );
    if (wakes(result)) await nudge(log, () => workflows.join.wake(params.requestId));
    return answerDecision(result, visit, body.decision);
  },
});

function answerDecision(result: DecisionResult, { caller, at }: Visit<unknown>, choice: 'approve' | 'deny') {
  switch (result.kind) {
    case 'recorded':
      return json(200, statusOf(result.request, at));
    case 'stands': {
      const { state, stage, earlierVotes = [] } = result.request;
      const mine = [...earlierVotes, ...stage.votes].findLast(
        ({ personId }) => caller.kind !== 'nobody' && personId === caller.id,
      );
      if (mine?.choice === choice) return json(200, statusOf(result.request, at));
      const where = state === 'pending' ? `at stage ${String(stage.index + 1)} now` : state;
      throw problems.alreadyDecided('It was decided before', `the request is ${where}.`, state);
    }
    case 'which-stage': {
      const { state, stage } = result.request;
      const number = stage.index + 1;
      const now = `the one that you made stands, and the request is at stage ${String(number)} now. To decide there too, say "stage": ${String(number)}.`;
      throw problems.alreadyDecided('You decided at an earlier stage', now, state);
    }
    case 'not-yours':
      throw problems.notYours('their own request', result.request.state);
    case 'changed-too-often':
      throw new Problem(
        409,
        'changed-too-often',
        'You changed your mind too often',
        'Your last decision stands. The others who may decide can still bring the request to its end.',
      );
    case 'bad-duration':
      throw problems.badRequest([{ pointer: '/duration', detail: result.sentence }]);
    case 'unknown':
      throw problems.notFound();
  }
}

const nudging = door({
  name: 'nudgeApprovers',
  method: 'POST',
  route: 'join-requests/{requestId}/nudge',
  admits: { people: true, roles: [] },
  rule: 'The requester, once a day.',
  api: {
    summary: 'Ask to remind those who have not decided yet',
    answers: { 202: { description: 'They are reminded.', body: statusSchema } },
  },
  params: requestParams,
  handle: async (visit) => {
    const { params, caller, services, workflows, via, at, log } = visit;
    const { group, requester } = await ownRequest(visit);
    await withinNudgeLimits(visit, { groupId: group.id, personId: requester.id });
    const result = await nudgeApprovers(services, params.requestId, actorOf(caller), via, at);
    if (result === undefined) throw problems.notFound();
    if (result.kind === 'too-soon') {
      const seconds = Math.ceil((result.until.getTime() - at.getTime()) / 1_000);
      throw new Problem(
        429,
        'nudged-recently',
        'Not so often',
        `They were asked or reminded less than a day ago. Try again after ${result.until.toISOString()}.`,
        { headers: { 'retry-after': String(seconds) } },
      );
    }
    if (result.kind === 'stands') {
      const { state } = result.request;
      throw new Problem(
        409,
        'conflict',
        'There is nobody to remind',
        state === 'pending' ? 'The mails to those who may decide are not out yet.' : `The request is ${state}.`,
        { with: { state } },
      );
    }
    await nudge(log, () => workflows.join.wake(params.requestId));
    return json(202, statusOf(result.request, at));
  },
});

export const doors = [deciding, nudging] as const;

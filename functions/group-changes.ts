import { z } from 'zod';

import { retry } from '../shared/domain/group-change';
import { cancelChange } from '../shared/group-changes/cancel';
import { decideChange, withdrawChange } from '../shared/group-changes/decide';
import { changeStatus, changeStatusSchema, readGroupChange } from '../shared/group-changes/status';
import { changeStored } from '../shared/records/dossiers';
import { readJson } from '../shared/web/body';
import { Problem, problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import { actorOf, door, json, nudge } from './door';
import { nextOf, openOnPage, queryOf } from './paging';
import { changeParams, decisionBodyFields, reasonText } from './parameters';

const stands = (description: string) => ({ description, body: changeStatusSchema });

const reading = door({
  name: 'readGroupChange',
  method: 'GET',
  route: 'group-changes/{changeId}',
  admits: { people: true, roles: [ROLES.operations] },
  rule: 'Who asked for it, the owners the group has now, whoever may decide or was asked to, operations, administrators.',
  api: { summary: 'The state of a group change, and its timeline', answers: { 200: stands('What stands.') } },
  params: changeParams,
  handle: async ({ params, caller, services }) => {
    const found = await readGroupChange(services, params.changeId, caller);
    if (found === undefined) throw problems.notFound();
    return json(200, changeStatus(found.stored.request, found), { etag: found.stored.etag });
  },
});

const withdrawing = door({
  name: 'withdrawGroupChange',
  method: 'POST',
  route: 'group-changes/{changeId}/withdraw',
  admits: { people: true, roles: [] },
  rule: 'Who asked for it, while it is pending.',
  api: { summary: 'Take a pending change back', answers: { 200: stands('It is withdrawn.') } },
  params: changeParams,
  handle: async ({ params, caller, services, workflows, via, at, log }) => {
    const { changeId } = params;
    const before = await services.records.changes.read(changeId);
    if (caller.kind !== 'person' || before?.request.askedBy.id !== caller.id) throw problems.notFound();
    const result = await withdrawChange(services, changeId, actorOf(caller), via, at);
    if (result === undefined) throw problems.notFound();
    const { state } = result.change;
    if (!result.withdrawn)
      throw new Problem(409, 'conflict', 'It can’t be withdrawn any more', `It is ${state}.`, { with: { state } });
    await nudge(log, () => workflows.change.wake(changeId));
    return json(200, changeStatus(result.change));
  },
});

const decisionBody = z.strictObject(decisionBodyFields('Whoever asked'));

const deciding = door({
  name: 'decideGroupChange',
  method: 'POST',
  route: 'group-changes/{changeId}/decision',
  admits: { people: true, roles: [] },
  rule: 'People who may decide at this moment; never who asked, nor an owner whom they named.',
  api: {
    summary: 'Approve or deny a group that is to be created',
    body: decisionBody,
    answers: { 200: stands('The decision stands; what stands with it.') },
  },
  params: changeParams,
  handle: async ({ request, params, caller, services, workflows, via, at, log }) => {
    const { changeId } = params;
    const { value } = await readJson(request, decisionBody);
    if (caller.kind !== 'person' || (await readGroupChange(services, changeId, caller)) === undefined)
      throw problems.notFound();
    const { decision: choice, comment } = value;
    const said = comment === undefined || comment === '' ? {} : { comment };
    const result = await decideChange(services, { changeId, by: caller, choice, ...said, via }, at);
    switch (result.kind) {
      case 'recorded':
        await nudge(log, () => workflows.change.wake(changeId));
        return json(200, changeStatus(result.change));
      case 'stands': {
        const { state, approval } = result.change;
        const mine = approval?.decision;
        if (mine?.personId === caller.id && mine.choice === choice) return json(200, changeStatus(result.change));
        throw problems.alreadyDecided('It was decided before', `it is ${state}.`, state);
      }
      case 'not-yours':
        throw problems.notYours('about a group of their own');
      case 'unknown':
        throw problems.notFound();
    }
  },
});

const OPERATIONS = { people: false, roles: [ROLES.operations] };

const listQuery = z.strictObject({
  pageSize: z.coerce.number().int().min(1).max(100).default(50),
  after: z.string().max(200).default(''),
});

const listing = door({
  name: 'listOpenGroupChanges',
  method: 'GET',
  route: 'ops/group-changes',
  admits: OPERATIONS,
  rule: 'Operations see all open changes.',
  api: {
    summary: 'Open group changes, the one whose next step is due first on top',
    query: listQuery,
    answers: {
      200: {
        description: 'One page, which can have fewer than its size; `nextLink` is there while there is more.',
        body: z.object({ value: z.array(changeStatusSchema), nextLink: z.string().optional() }),
      },
    },
  },
  params: z.record(z.string(), z.string()),
  handle: async ({ request, services }) => {
    const query = queryOf(request, listQuery);
    const { changes } = services.records;
    const { found, next } = await openOnPage(
      services,
      'change',
      query,
      async (id) => (await changes.read(id))?.request,
    );
    return json(200, {
      value: found.map((change) => changeStatus(change)),
      ...nextOf(services, 'ops/group-changes', query, next),
    });
  },
});

const retrying = door({
  name: 'retryGroupChange',
  method: 'POST',
  route: 'ops/group-changes/{changeId}/retry',
  admits: OPERATIONS,
  rule: 'Operations.',
  api: { summary: 'Try a change again that failed', answers: { 202: stands('It is tried again.') } },
  params: changeParams,
  handle: async ({ params, caller, services, workflows, via, at, log }) => {
    const stored = await changeStored(services.records.changes, params.changeId, via, (change) =>
      retry(change, actorOf(caller), at),
    );
    if (stored === undefined) throw problems.notFound();
    const { request: change } = stored;
    if (change.state !== 'approved' && change.state !== 'applying')
      throw problems.conflict('There is nothing to try again', change.state);
    // its story came to an end when it failed
    await nudge(log, () => workflows.change.resume(change.id));
    return json(202, changeStatus(change));
  },
});

const cancelBody = z.strictObject({ reason: reasonText.describe('Those concerned are told it.') });

const cancelling = door({
  name: 'cancelGroupChange',
  method: 'POST',
  route: 'ops/group-changes/{changeId}/cancel',
  admits: OPERATIONS,
  rule: 'Operations, with a reason that those concerned are told; not once the group was created.',
  api: { summary: 'End an open change', body: cancelBody, answers: { 202: stands('It is cancelled.') } },
  params: changeParams,
  handle: async ({ request, params, caller, services, workflows, via, at, log }) => {
    const { value } = await readJson(request, cancelBody);
    const by = { by: actorOf(caller), reason: value.reason, via };
    const result = await cancelChange(services, params.changeId, by, at);
    if (result.kind === 'unknown') throw problems.notFound();
    if (result.kind === 'group-stands')
      throw new Problem(
        409,
        'group-stands',
        'The group was created',
        'Microsoft Graph made the group although its answer was lost or said otherwise. Try the change again: it finds the group and gives it what is missing.',
      );
    if (result.kind === 'too-late') throw problems.conflict('The change can’t be cancelled', result.change.state);
    await nudge(log, () => workflows.change.resume(result.change.id));
    return json(202, changeStatus(result.change));
  },
});

export const doors = [reading, withdrawing, deciding, listing, retrying, cancelling] as const;

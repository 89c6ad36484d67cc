import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';

import { afterwardsIn, endOf, retryLife } from '../shared/domain/group-life';
import type { GroupLife } from '../shared/domain/group-life';
import type { LifetimePolicy } from '../shared/domain/group-lifetime';
import { addDuration } from '../shared/domain/duration';
import { waitingForSchema } from '../shared/dossier-status';
import { renew, renewableBy } from '../shared/group-lives/renew';
import type { Renewable, Renewer, RenewResult } from '../shared/group-lives/renew';
import { lifeRules } from '../shared/group-lives/rules';
import { lifetimeSchema, lifetimeStatus } from '../shared/group-lives/status';
import { dateInWords, nameOf } from '../shared/mail/text';
import { NEVER_DUE } from '../shared/records/open-rows';
import { retryOnConflict } from '../shared/records/tables';
import { readJson } from '../shared/web/body';
import { formToken } from '../shared/web/form-token';
import { pageResponse } from '../shared/web/page-response';
import { groupRenewalPage } from '../shared/web/pages/group-renewal';
import { Problem, problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import type { Caller } from '../shared/web/tokens';
import { actorOf, door, hasRole, json, nudge } from './door';
import type { Visit } from './door';
import { asPage, seeOther, signInFirst, signOutFirst } from './page-answers';
import { nextOf, openOnPage, queryOf } from './paging';
import { groupParams, reasonText } from './parameters';
import { postedForm } from './posted-form';

type GroupVisit = Visit<z.output<typeof groupParams>>;

const renewerOf = (caller: Extract<Caller, { kind: 'person' }>): Renewer => ({
  id: caller.id,
  name: caller.name,
  administers: hasRole(caller, ROLES.policy),
});

const renewedSchema = z.object({
  id: z.string(),
  displayName: z.string(),
  lifetime: lifetimeSchema,
});

const renewBody = z.strictObject({ reason: reasonText.optional().describe('Kept in the trail.') });

/** Renews, and lets the workflow tell the directory and those concerned. */
async function renewing(
  { services, workflows, params, via, at, log }: GroupVisit,
  me: Renewer,
  reason?: string,
): Promise<RenewResult> {
  const { groupId } = params;
  const result = await renew(services, { groupId, me, via, ...(reason !== undefined && { reason }) }, at);
  if (result.kind === 'renewed') await nudge(log, () => workflows.life.attend(groupId));
  return result;
}

const api = door({
  name: 'renewGroup',
  method: 'POST',
  route: 'groups/{groupId}/renew',
  admits: { people: true, roles: [] },
  rule: 'Owners of the group at this moment, and administrators.',
  api: {
    summary: 'Let the time of a group begin anew, before it expires or after',
    body: renewBody,
    answers: { 200: { description: 'It is renewed; when it expires now.', body: renewedSchema } },
  },
  params: groupParams,
  handle: async (visit) => {
    const { caller, request } = visit;
    if (caller.kind !== 'person') throw problems.forbidden('People renew groups in their own name.');
    const { value } = await readJson(request, renewBody);
    const result = await renewing(visit, renewerOf(caller), value.reason?.trim());
    switch (result.kind) {
      case 'renewed': {
        const { life, rules } = result;
        const { id, name } = life.group;
        return json(200, { id, displayName: name, lifetime: lifetimeStatus(life, rules, true) });
      }
      case 'not-found':
        throw problems.notFound('There is no group of this id that you can renew.');
      case 'never-expires':
        throw new Problem(409, 'group-never-expires', 'There is nothing to renew', NEVER_EXPIRES);
      case 'being-deleted':
        throw new Problem(409, 'group-is-being-deleted', 'The group is being deleted', BEING_DELETED, {
          headers: { 'retry-after': '60' },
        });
      case 'deleted':
        throw new Problem(409, 'group-was-deleted', 'The group was deleted', wasDeleted(result.at));
    }
  },
});

const NEVER_EXPIRES =
  'This group has no end. Only groups that were created here expire, where the creation policy says so.';
const BEING_DELETED =
  'It expired, nobody renewed it in time, and it is being deleted at this moment. An administrator can restore it in Microsoft Entra ID for 30 days; then renew it.';
const wasDeleted = (at: Date): string =>
  `It expired, nobody renewed it in time, and it was deleted on ${dateInWords(at)}. An administrator can restore it in Microsoft Entra ID for 30 days; then renew it.`;

const pathOf = (groupId: string): string => `/api/group-renewals/${groupId}`;

/** The signed-in person and the group that they may renew, or the page that is shown instead: the same for any group that is not theirs. */
async function mayRenew(
  { caller, params, services }: GroupVisit,
  failure: number,
): Promise<{ found: Renewable; me: Renewer } | HttpResponseInit> {
  const path = pathOf(params.groupId);
  if (caller.kind !== 'person') return signInFirst(services, path, failure);
  const me = renewerOf(caller);
  const found = await renewableBy(services, params.groupId, me);
  return found === undefined || found === 'no-life' ? signOutFirst(path, failure) : { found, me };
}

/** How the group stands, in words for somebody who may renew it, and whether there is anything to renew. */
function standOf(life: GroupLife, rules: LifetimePolicy | undefined, isThere: boolean) {
  const group = nameOf(life.group.name);
  const { closed, expiredAt, warnedAt } = life.life;
  if (life.deleting === true)
    return { heading: `${group} is being deleted`, sentence: BEING_DELETED, renewable: false };
  if (closed?.how === 'deleted' && !isThere)
    return { heading: `${group} was deleted`, sentence: wasDeleted(new Date(closed.at)), renewable: false };
  if (expiredAt !== undefined)
    return {
      heading: `${group} has expired`,
      sentence: 'Nobody renewed it in time: it takes no new members. You can still renew it.',
      renewable: true,
    };
  const expires = endOf(life, rules);
  if (expires === undefined) return { heading: `${group} has no end`, sentence: NEVER_EXPIRES, renewable: false };
  const on = dateInWords(expires);
  return warnedAt === undefined
    ? { heading: `${group} goes on`, sentence: `It expires on ${on}. There is nothing to do now.`, renewable: false }
    : { heading: `${group} expires on ${on}`, sentence: 'Renew it if it is still needed.', renewable: true };
}

function show(
  { request, params }: GroupVisit,
  { found, me }: { found: Renewable; me: Renewer },
  shown: { problem?: string; status?: number } = {},
): HttpResponseInit {
  const { life, rules, isThere } = found;
  const { renewable, ...said } = standOf(life, rules, isThere);
  const expires = endOf(life, rules);
  const after = afterwardsIn(life, rules);
  const { token, cookie } = formToken(request.headers);
  const page = groupRenewalPage({
    facts: { groupId: life.group.id, groupName: life.group.name, kind: life.kind },
    signedInAs: me.name,
    ...said,
    ...(expires !== undefined && { expires }),
    ...(life.life.expiredAt !== undefined && { expired: new Date(life.life.expiredAt) }),
    ...(renewable && after !== undefined && { afterwards: { how: after.how, on: new Date(after.at) } }),
    ...(renewable &&
      expires !== undefined &&
      rules !== undefined && { afterwards: { how: rules.afterwards, on: addDuration(expires, rules.grace) } }),
    ...(renewable && { form: { action: pathOf(params.groupId), token } }),
    ...(shown.problem !== undefined && { problem: shown.problem }),
  });
  return pageResponse(shown.status ?? 200, page, [cookie]);
}

const showing = door({
  name: 'showGroupRenewalPage',
  method: 'GET',
  route: 'group-renewals/{groupId}',
  admits: 'anyone',
  rule: 'Facts only for the owners of the group at this moment and administrators, signed in; changes nothing.',
  params: groupParams,
  page: asPage,
  handle: async (visit) => {
    const signed = await mayRenew(visit, 200);
    return 'found' in signed ? show(visit, signed) : signed;
  },
});

const renewForm = z.strictObject({ token: z.string().default('') });

const posting = door({
  name: 'postGroupRenewal',
  method: 'POST',
  route: 'group-renewals/{groupId}',
  admits: 'anyone',
  rule: 'Counts only for a signed-in owner of this moment, or an administrator, from our own form.',
  params: groupParams,
  page: asPage,
  handle: async (visit) => {
    const signed = await mayRenew(visit, 403);
    if (!('found' in signed)) return signed;
    const posted = await postedForm(visit, renewForm, 'confirm', (problem, status) =>
      Promise.resolve(show(visit, signed, { problem, status })),
    );
    if (!('form' in posted)) return posted;
    // whatever became of it, the page says how the group stands
    await renewing(visit, signed.me);
    return seeOther(pathOf(visit.params.groupId));
  },
});

const OPERATIONS = { people: false, roles: [ROLES.operations] };

const waitingSchema = z.object({
  id: z.string().describe('Object id of the group.'),
  displayName: z.string(),
  lifetime: lifetimeSchema,
  waitingFor: waitingForSchema,
  why: z.object({ rule: z.string(), sentence: z.string() }).optional(),
  nextStepAt: z.iso.datetime().optional(),
});

const WAITING = {
  mail: 'mail queued: those concerned could not be mailed yet',
  directory: 'Microsoft Graph: the step is taken as soon as it answers',
  operations: 'operations: see why',
} as const;

const described = (life: GroupLife, rules: LifetimePolicy | undefined): z.output<typeof waitingSchema> => ({
  id: life.group.id,
  displayName: life.group.name,
  lifetime: lifetimeStatus(life, rules, false),
  waitingFor: life.waitingFor === null ? null : { what: life.waitingFor, sentence: WAITING[life.waitingFor] },
  ...(life.why !== undefined && { why: life.why }),
  ...(life.due !== null && { nextStepAt: life.due }),
});

const listQuery = z.strictObject({
  pageSize: z.coerce.number().int().min(1).max(100).default(50),
  // rows that wait for operations stand behind all that are due
  after: z.string().max(200).default(`${NEVER_DUE}_life_`),
});

const listing = door({
  name: 'listWaitingGroups',
  method: 'GET',
  route: 'ops/group-lives',
  admits: OPERATIONS,
  rule: 'Operations.',
  api: {
    summary: 'Groups whose expiry waits for operations, each with why',
    query: listQuery,
    answers: {
      200: {
        description: 'One page, which can have fewer than its size; `nextLink` is there while there is more.',
        body: z.object({ value: z.array(waitingSchema), nextLink: z.string().optional() }),
      },
    },
  },
  params: z.record(z.string(), z.string()),
  handle: async ({ request, services }) => {
    const query = queryOf(request, listQuery);
    const { lives } = services.records;
    const { found, next } = await openOnPage(services, 'life', query, async (id) => (await lives.read(id))?.life);
    const value = await Promise.all(
      found.map(async (life) => described(life, (await lifeRules(services, life)).rules)),
    );
    return json(200, { value, ...nextOf(services, 'ops/group-lives', query, next) });
  },
});

const retrying = door({
  name: 'retryGroupLife',
  method: 'POST',
  route: 'ops/group-lives/{groupId}/retry',
  admits: OPERATIONS,
  rule: 'Operations.',
  api: {
    summary: 'Try the step again that a group’s expiry waits for',
    answers: { 202: { description: 'It is tried again.', body: waitingSchema } },
  },
  params: groupParams,
  handle: async ({ params, caller, services, workflows, via, at, log }) => {
    const { lives } = services.records;
    const life = await retryOnConflict(async () => {
      const stored = await lives.read(params.groupId);
      if (stored === undefined) throw problems.notFound();
      const step = retryLife(stored.life, actorOf(caller), at);
      if (step === undefined)
        throw new Problem(
          409,
          'conflict',
          'There is nothing to try again',
          'The expiry of this group does not wait for operations.',
        );
      return (await lives.write(stored, step, via)).life;
    });
    await nudge(log, () => workflows.life.attend(params.groupId));
    return json(202, described(life, (await lifeRules(services, life)).rules));
  },
});

export const doors = [api, listing, retrying] as const;
export const pageDoors = [showing, posting] as const;

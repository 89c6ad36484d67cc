import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';

import { GROUP_KINDS } from '../shared/domain/group-change';
import { fileCreation } from '../shared/group-changes/create';
import { creationPolicyInForce } from '../shared/group-changes/creation-policy';
import type { FileChangeResult, FilingOf } from '../shared/group-changes/file';
import { fileManaging } from '../shared/group-changes/manage';
import type { ManageWish } from '../shared/group-changes/manage';
import { checkGroupName, isOpenToAll, nearDuplicatesOf } from '../shared/group-changes/names';
import { changeStatus, changeStatusSchema } from '../shared/group-changes/status';
import { readJson } from '../shared/web/body';
import { Problem, problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import type { Caller } from '../shared/web/tokens';
import { changesOf, countedMeanwhile, creationsOf, namesCheckedBy, withinLimits } from './call-limits';
import { door, hasRole, json, nudge } from './door';
import type { Visit } from './door';
import { groupParams, idempotencyKey, isoDuration, personName, plainText, reasonText } from './parameters';

const PEOPLE = { people: true, roles: [] };
const anyPath = z.record(z.string(), z.string());

// what is wrong with a name is told by its rules, all at once; here only what no text may be
const name = z.string().max(2_000, 'Use at most 256 characters.');
const description = plainText(1_024).describe('Shown where people look for groups.');

const nameBody = z.strictObject({
  kind: z.enum(GROUP_KINDS, 'Say security or microsoft365.'),
  displayName: name.describe('Without the prefix and suffix that the tenant’s naming policy puts around it.'),
  mailNickname: z
    .string()
    .max(200, 'Use at most 64 characters.')
    .optional()
    .describe('Derived from the name where left out.'),
});

const createBody = nameBody.extend({
  description: description.optional(),
  purpose: plainText(2_000)
    .refine((text) => text.trim() !== '', 'Say what the group is for.')
    .describe('Whoever approves reads it.'),
  owners: z
    .array(personName)
    .max(9, 'Name at most nine more owners.')
    .default([])
    .describe('Owners besides yourself: object ids or user principal names.'),
  visibility: z.enum(['Public', 'Private'], 'Say Public or Private.').optional(),
  expires: isoDuration
    .optional()
    .describe(
      'How long the group lives without being renewed, from its creation and from each renewal: a day or more, at most what the creation policy says.',
    ),
});

const personField = personName.describe('Object id or user principal name.');
const reason = reasonText.optional().describe('Those concerned are told it.');
const changeBody = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('describe'),
      displayName: name.optional(),
      description: description.optional().describe('An empty text takes it away.'),
      reason,
    }),
    z.strictObject({
      kind: z.enum(['add-owner', 'remove-owner', 'hand-over', 'add-member', 'remove-member']),
      person: personField,
      reason,
    }),
    z.strictObject({ kind: z.enum(['leave-as-owner', 'leave']), reason }),
  ],
  'Say what to change: describe, add-owner, remove-owner, hand-over, add-member, remove-member, leave-as-owner or leave.',
);

type Person = Extract<Caller, { kind: 'person' }>;

/** People create and change groups in their own name. */
function personIn(caller: Caller): Person {
  if (caller.kind !== 'person') throw problems.forbidden('People create and manage groups in their own name.');
  return caller;
}

function filingOf(visit: Visit<unknown>, person: Person, body: string, groupId = 'new'): FilingOf {
  const key = idempotencyKey(visit.request.headers);
  return {
    askedBy: { id: person.id, name: person.name },
    scope: groupId,
    via: visit.via,
    // creations of a person are counted as their join requests are, changes of one group as the join requests for one group
    admitted: countedMeanwhile(visit, groupId === 'new' ? creationsOf(person.id) : changesOf(groupId, person.id)),
    ...(key !== undefined && { idempotency: { key, body } }),
  };
}

async function answer(result: FileChangeResult, visit: Visit<unknown>): Promise<HttpResponseInit> {
  const { services, workflows, log } = visit;
  switch (result.kind) {
    case 'filed': {
      const { change } = result;
      await nudge(log, () => workflows.change.start(change.id));
      return json(202, changeStatus(change), {
        location: `${services.config.PUBLIC_BASE_URL}/api/group-changes/${change.id}`,
        'retry-after': '2',
      });
    }
    case 'open-already':
      throw new Problem(
        409,
        'change-in-progress',
        'Somebody is changing the same',
        result.change.task.kind === 'create'
          ? 'A group of this name is being created at this moment. Choose another name, or see what becomes of it.'
          : 'Another change of the same is under way. Look at the group again in a minute.',
        { headers: { 'retry-after': '60' } },
      );
    case 'refused':
      throw new Problem(409, result.refusal.rule, 'This can’t be done', result.refusal.sentence);
    case 'invalid':
      throw problems.badRequest(result.errors);
    case 'not-found':
      throw problems.notFound('There is no group of this id that you can manage.');
    case 'not-yours':
      throw new Problem(403, 'not-yours', 'This is not yours to change', 'Only the owners of the group can do this.');
    case 'key-reused':
      throw new Problem(
        422,
        'idempotency-key-reused',
        'The Idempotency-Key was used before',
        'This key came with another body before. Use a new key for a new change, or send the same body to get the first answer.',
      );
    case 'in-progress':
      throw new Problem(
        409,
        'filing-in-progress',
        'The same is being asked for',
        'Another call is asking for the same at this moment. Try again in a few seconds.',
        { headers: { 'retry-after': '3' } },
      );
  }
}

const idempotent = {
  'Idempotency-Key': 'Makes a repeat of this call return the first answer and finish what was left half done.',
};
const accepted = { description: 'Filed. `Location` is where its state is read.', body: changeStatusSchema };

const creating = door({
  name: 'createGroup',
  method: 'POST',
  route: 'groups',
  admits: PEOPLE,
  rule: 'People whom the creation policy lets create groups of this kind; never guests, never apps.',
  api: { summary: 'Create a group of one’s own', body: createBody, headers: idempotent, answers: { 202: accepted } },
  params: anyPath,
  handle: async (visit) => {
    const person = personIn(visit.caller);
    const { value, text } = await readJson(visit.request, createBody);
    const { mailNickname, description: described, visibility, expires, ...rest } = value;
    const wish = {
      ...rest,
      ...(mailNickname !== undefined && { mailNickname }),
      ...(described !== undefined && { description: described }),
      ...(visibility !== undefined && { visibility }),
      ...(expires !== undefined && { expires }),
    };
    return answer(await fileCreation(visit.services, filingOf(visit, person, text), wish, visit.at), visit);
  },
});

const place = z.object({ start: z.int(), end: z.int() });
const checkedSchema = z.object({
  displayName: z.string().describe('The full name as it would be.'),
  mailNickname: z.string().nullable(),
  missingAttributes: z.array(z.string()).describe('What the naming policy asks for and your account lacks.'),
  violations: z.array(
    z.object({
      rule: z.string(),
      of: z.enum(['displayName', 'mailNickname']),
      sentence: z.string(),
      at: place.optional(),
    }),
  ),
  nearDuplicates: z
    .array(
      z.object({
        id: z.string(),
        displayName: z.string(),
        score: z.number(),
        resemblance: z.enum(['same', 'same-words', 'spelling', 'words']),
      }),
    )
    .describe('Existing groups with a name near this one, closest first.'),
});

const checking = door({
  name: 'checkGroupName',
  method: 'POST',
  route: 'groups/check-name',
  admits: PEOPLE,
  rule: 'Any person; of existing groups only those open to self-service are shown.',
  api: {
    summary: 'The full name of a group as it would be, all that is against it, and groups with a name near it',
    body: nameBody,
    answers: { 200: { description: 'What is to be said of the name.', body: checkedSchema } },
  },
  params: anyPath,
  handle: async (visit) => {
    const { services, caller, request } = visit;
    const person = personIn(caller);
    const { value } = await readJson(request, nameBody);
    await withinLimits(visit, [namesCheckedBy(person.id)]);
    const { mailNickname, ...wish } = value;
    const { policy } = await creationPolicyInForce(services);
    const seesAll = hasRole(caller, ROLES.operations) || hasRole(caller, ROLES.policy);
    const [checked, nearDuplicates] = await Promise.all([
      checkGroupName(
        services,
        { ...wish, personId: person.id, ...(mailNickname !== undefined && { mailNickname }) },
        policy,
      ),
      nearDuplicatesOf(services, wish.displayName, (group) =>
        seesAll ? Promise.resolve(true) : isOpenToAll(services, group),
      ),
    ]);
    return json(200, { ...checked, nearDuplicates });
  },
});

function wishOf(body: z.output<typeof changeBody>): ManageWish {
  if (body.kind !== 'describe')
    return 'person' in body ? { kind: body.kind, person: body.person } : { kind: body.kind };
  const { displayName, description: described } = body;
  return {
    kind: 'describe',
    ...(displayName !== undefined && { displayName }),
    ...(described !== undefined && { description: described }),
  };
}

const changing = door({
  name: 'changeGroup',
  method: 'POST',
  route: 'groups/{groupId}/changes',
  admits: PEOPLE,
  rule: 'Owners of the group; administrators for its owners and description, operators to remove members; anybody to leave.',
  api: {
    summary: 'Change a group: its name or description, its owners, its members',
    body: changeBody,
    headers: idempotent,
    answers: { 202: accepted },
  },
  params: groupParams,
  handle: async (visit) => {
    const person = personIn(visit.caller);
    const { groupId } = visit.params;
    const { value, text } = await readJson(visit.request, changeBody);
    const asked = {
      groupId,
      me: person,
      wish: wishOf(value),
      ...(value.reason !== undefined && { reason: value.reason.trim() }),
    };
    return answer(await fileManaging(visit.services, filingOf(visit, person, text, groupId), asked, visit.at), visit);
  },
});

export const doors = [creating, checking, changing] as const;

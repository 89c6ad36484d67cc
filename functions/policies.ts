import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';

import { parseDuration } from '../shared/domain/duration';
import { policySchema } from '../shared/domain/policy';
import type { Policy } from '../shared/domain/policy';
import { dryRun } from '../shared/policies/dry-run';
import { defaultPolicy, policyInForce } from '../shared/policies/in-force';
import type { PolicyInForce } from '../shared/policies/in-force';
import { checkDraft, writePolicy } from '../shared/policies/write';
import type { Expected, PolicyScope } from '../shared/policies/write';
import type { PolicyVersion } from '../shared/records/policies';
import { readJson } from '../shared/web/body';
import { Problem, problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import { actorOf, door, json } from './door';
import type { Visit } from './door';
import { groupParams, personName } from './parameters';

const ADMITS = { people: false, roles: [ROLES.policy] };
const RULE = 'Administrators only.';

const policyBody = policySchema.describe('See docs/policies.md; what is left out has its default.');
/** A policy document as the API shows it. @param version what its version may be */
export const documentSchemaOf = (version: string) =>
  z.object({
    policy: z.unknown().describe('All rules, defaults filled in.'),
    version: z.string().describe(version),
    changedAt: z.iso.datetime().optional(),
    changedBy: z.string().optional().describe('Object id of the administrator.'),
  });
const documentSchema = documentSchemaOf('`group@3`, `default@1`, or `setting`: the one in the settings of the app.');

export function describe({
  policy,
  version,
  document,
}: {
  policy: unknown;
  version: string;
  document?: Pick<PolicyVersion, 'changedAt' | 'changedBy'>;
}): z.output<typeof documentSchema> {
  return {
    policy,
    version,
    ...(document && { changedAt: document.changedAt, changedBy: document.changedBy }),
  };
}

/** The ETag of a policy document: its version, or `"none"` where this scope has none of its own and another one is in force. */
const etagOf = (scope: PolicyScope, { version, document }: PolicyInForce): string => {
  const isOwn = document !== undefined && version.startsWith(scope === 'default' ? 'default@' : 'group@');
  return `"${isOwn ? String(document.version) : 'none'}"`;
};

/** The version that the caller read before changing it. @throws {Problem} 428 where it does not say, 400 where that is no version */
export function expected(headers: HttpRequest['headers']): Expected {
  if (headers.get('if-none-match') === '*') return 'none';
  const given = headers.get('if-match');
  if (given === null) {
    throw new Problem(
      428,
      'precondition-required',
      'Say which version you change',
      'Read the policy first and send its ETag as If-Match, so that nobody’s change gets lost.',
    );
  }
  const version = /^"(none|\d{1,9})"$/.exec(given)?.[1];
  if (version === undefined)
    throw problems.badRequest([
      { pointer: 'If-Match', detail: 'Send the ETag as it was given, such as "3" or "none".' },
    ]);
  return version === 'none' ? 'none' : Number(version);
}

async function put(visit: Visit<unknown>, scope: PolicyScope) {
  const { request, services, caller, via, at } = visit;
  const version = expected(request.headers);
  const { value: policy } = await readJson(request, policyBody, (draft) => checkDraft(services, scope, draft));
  const result = await writePolicy(services, scope, policy, { actor: actorOf(caller), ...via, expected: version }, at);
  switch (result.kind) {
    case 'written': {
      const { document } = result;
      const kind = scope === 'default' ? 'default' : 'group';
      const written = { policy: document.policy, version: `${kind}@${String(document.version)}`, document };
      return json(200, describe(written), { etag: etagOf(scope, written) });
    }
    case 'invalid':
      throw problems.badRequest(result.errors);
    case 'refused':
      throw new Problem(409, result.refusal.rule, 'This group can’t be opted in', result.refusal.sentence);
    case 'changed':
      throw changedMeanwhile(result.present?.version);
  }
}

/** @param version that it is at now; absent where there is none */
export const changedMeanwhile = (version: number | undefined): Problem =>
  new Problem(
    412,
    'precondition-failed',
    'The policy was changed meanwhile',
    `It is at version ${String(version ?? 'none')} now. Read it again and repeat your change.`,
  );

const answers = {
  200: { description: 'The policy. Its ETag goes into If-Match of a change.', body: documentSchema },
};
const headers = { 'If-Match': 'ETag of the policy as it was read; `"none"` where the group has none of its own.' };

const readingOfGroup = door({
  name: 'readGroupPolicy',
  method: 'GET',
  route: 'groups/{groupId}/policy',
  admits: ADMITS,
  rule: RULE,
  api: { summary: 'The policy in force for a group', answers },
  params: groupParams,
  handle: async ({ services, params }) => {
    const found = await policyInForce(services, params.groupId);
    return json(200, describe(found), { etag: etagOf(params, found) });
  },
});

const writingOfGroup = door({
  name: 'writeGroupPolicy',
  method: 'PUT',
  route: 'groups/{groupId}/policy',
  admits: ADMITS,
  rule: RULE,
  api: { summary: 'Give a group a policy of its own', body: policyBody, headers, answers },
  params: groupParams,
  handle: (visit) => put(visit, visit.params),
});

const versionsOfGroup = door({
  name: 'listGroupPolicyVersions',
  method: 'GET',
  route: 'groups/{groupId}/policy/versions',
  admits: ADMITS,
  rule: RULE,
  api: {
    summary: 'All versions of a group’s policy, the latest first',
    answers: { 200: { description: 'The versions.', body: z.object({ value: z.array(documentSchema) }) } },
  },
  params: groupParams,
  handle: async ({ services, params }) => versions(services, params),
});

const readingOfDefault = door({
  name: 'readDefaultPolicy',
  method: 'GET',
  route: 'policies/default',
  admits: ADMITS,
  rule: RULE,
  api: { summary: 'The policy of groups that have none of their own', answers },
  params: z.record(z.string(), z.string()),
  handle: async ({ services }) => {
    const found = await defaultPolicy(services);
    return json(200, describe(found), { etag: etagOf('default', found) });
  },
});

const writingOfDefault = door({
  name: 'writeDefaultPolicy',
  method: 'PUT',
  route: 'policies/default',
  admits: ADMITS,
  rule: RULE,
  api: { summary: 'Change the policy of groups that have none of their own', body: policyBody, headers, answers },
  params: z.record(z.string(), z.string()),
  handle: (visit) => put(visit, 'default'),
});

const versionsOfDefault = door({
  name: 'listDefaultPolicyVersions',
  method: 'GET',
  route: 'policies/default/versions',
  admits: ADMITS,
  rule: RULE,
  api: {
    summary: 'All versions of the default policy, the latest first',
    answers: { 200: { description: 'The versions.', body: z.object({ value: z.array(documentSchema) }) } },
  },
  params: z.record(z.string(), z.string()),
  handle: async ({ services }) => versions(services, 'default'),
});

async function versions({ records }: Visit<unknown>['services'], scope: PolicyScope) {
  const kind = scope === 'default' ? 'default' : 'group';
  const all = await records.policies.versions(scope);
  return json(200, {
    value: all.map((document) =>
      describe({ policy: document.policy, version: `${kind}@${String(document.version)}`, document }),
    ),
  });
}

const dryRunBody = z.strictObject({
  userId: personName.describe('Object id or user principal name of the person who would ask.'),
  duration: z
    .string()
    .refine((text) => (parseDuration(text) ?? 0) > 0, 'Give an ISO 8601 duration such as P30D.')
    .optional(),
  policy: policyBody.optional().describe('A policy that is not in force yet, to be tried instead of the one that is.'),
});

const people = z.array(z.object({ id: z.string(), name: z.string() }));
const dryRunSchema = z.object({
  eligible: z.boolean(),
  refusal: z.object({ rule: z.string(), sentence: z.string() }).optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  policyVersion: z.string(),
  withoutAsking: z.boolean().describe('Nobody would be asked.'),
  extends: z.object({ until: z.iso.datetime() }).optional(),
  stages: z.array(
    z.object({
      number: z.int(),
      parties: z.array(z.object({ required: z.int(), people })),
      opensAt: z.iso.datetime(),
      remindersAt: z.array(z.iso.datetime()),
      escalatesAt: z.iso.datetime().optional(),
      expiresAt: z.iso.datetime(),
    }),
  ),
  duration: z.string().optional(),
  coolDown: z.string().optional(),
});

const trying = door({
  name: 'dryRunPolicy',
  method: 'POST',
  route: 'groups/{groupId}/policy/dry-run',
  admits: ADMITS,
  rule: RULE,
  api: {
    summary: 'What would happen if a person asked to join now; nothing is written',
    body: dryRunBody,
    answers: { 200: { description: 'Who could decide, and when.', body: dryRunSchema } },
  },
  params: groupParams,
  handle: async ({ request, services, params, at }) => {
    const { value } = await readJson(request, dryRunBody);
    const draft: Policy | undefined = value.policy;
    const result = await dryRun(
      services,
      {
        groupId: params.groupId,
        person: value.userId,
        ...(value.duration !== undefined && { duration: value.duration }),
        ...(draft !== undefined && { draft }),
      },
      at,
    );
    return json(200, result);
  },
});

export const doors = [
  readingOfGroup,
  writingOfGroup,
  versionsOfGroup,
  readingOfDefault,
  writingOfDefault,
  versionsOfDefault,
  trying,
] as const;

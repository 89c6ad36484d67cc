import { z } from 'zod';

import { creationPolicySchema } from '../shared/domain/creation-policy';
import { creationPolicyInForce, writeCreationPolicy } from '../shared/group-changes/creation-policy';
import type { CreationPolicyInForce } from '../shared/group-changes/creation-policy';
import { readJson } from '../shared/web/body';
import { problems } from '../shared/web/problem';
import { ROLES } from '../shared/web/tokens';
import { actorOf, door, json } from './door';
import { changedMeanwhile, describe, documentSchemaOf, expected } from './policies';

const ADMITS = { people: false, roles: [ROLES.policy] };
const RULE = 'Administrators only.';
const anyPath = z.record(z.string(), z.string());

const policyBody = creationPolicySchema.describe('See docs/own-groups.md; what is left out has its default.');
const documentSchema = documentSchemaOf('`creation@3`, or `built-in` where none was written yet.');

const etagOf = ({ document }: CreationPolicyInForce): string => `"${document ? String(document.version) : 'none'}"`;

const answers = {
  200: { description: 'The policy. Its ETag goes into If-Match of a change.', body: documentSchema },
};

const reading = door({
  name: 'readCreationPolicy',
  method: 'GET',
  route: 'policies/creation',
  admits: ADMITS,
  rule: RULE,
  api: { summary: 'Who may create groups, and under which rules', answers },
  params: anyPath,
  handle: async ({ services }) => {
    const found = await creationPolicyInForce(services);
    return json(200, describe(found), { etag: etagOf(found) });
  },
});

const writing = door({
  name: 'writeCreationPolicy',
  method: 'PUT',
  route: 'policies/creation',
  admits: ADMITS,
  rule: RULE,
  api: {
    summary: 'Change who may create groups, and under which rules',
    body: policyBody,
    headers: { 'If-Match': 'ETag of the policy as it was read; `"none"` where none was written yet.' },
    answers,
  },
  params: anyPath,
  handle: async ({ request, services, caller, via, at }) => {
    const version = expected(request.headers);
    const { value: policy } = await readJson(request, policyBody);
    const by = { actor: actorOf(caller), ...via, expected: version };
    const result = await writeCreationPolicy(services, policy, by, at);
    switch (result.kind) {
      case 'written': {
        const { document } = result;
        const written = { policy: document.policy, version: `creation@${String(document.version)}`, document };
        return json(200, describe(written), { etag: etagOf(written) });
      }
      case 'invalid':
        throw problems.badRequest(result.errors);
      case 'changed':
        throw changedMeanwhile(result.present?.version);
    }
  },
});

const versions = door({
  name: 'listCreationPolicyVersions',
  method: 'GET',
  route: 'policies/creation/versions',
  admits: ADMITS,
  rule: RULE,
  api: {
    summary: 'All versions of the creation policy, the latest first',
    answers: { 200: { description: 'The versions.', body: z.object({ value: z.array(documentSchema) }) } },
  },
  params: anyPath,
  handle: async ({ services }) => {
    const all = await services.records.policies.creation.versions();
    return json(200, {
      value: all.map((document) =>
        describe({ policy: document.policy, version: `creation@${String(document.version)}`, document }),
      ),
    });
  },
});

export const doors = [reading, writing, versions] as const;

import { creationPolicySchema, namedInCreation } from '../domain/creation-policy';
import type { CreationPolicy } from '../domain/creation-policy';
import { unknownIds } from '../policies/write';
import type { Expected } from '../policies/write';
import type { CreationPolicyVersion, PolicyWriter } from '../records/policies';
import { Conflict } from '../records/tables';
import type { Services } from '../services';
import type { FieldError } from '../web/problem';

export interface CreationPolicyInForce {
  policy: CreationPolicy;
  /** `creation@2`, or `built-in` where no administrator wrote one yet. */
  version: string;
  document?: CreationPolicyVersion;
}

/** The one that administrators wrote; else every person but guests may create both kinds, and nobody is asked. */
export async function creationPolicyInForce({ records }: Pick<Services, 'records'>): Promise<CreationPolicyInForce> {
  const document = await records.policies.creation.current();
  return document === undefined
    ? { policy: creationPolicySchema.parse({}), version: 'built-in' }
    : { policy: document.policy, version: `creation@${String(document.version)}`, document };
}

export type WriteCreationResult =
  | { kind: 'written'; document: CreationPolicyVersion }
  | { kind: 'invalid'; errors: FieldError[] }
  /** It was changed since it was read. */
  | { kind: 'changed'; present: CreationPolicyVersion | undefined };

/** Checks the policy against the directory and writes it as a new version. */
export async function writeCreationPolicy(
  services: Services,
  policy: CreationPolicy,
  by: PolicyWriter & { expected: Expected },
  at: Date,
): Promise<WriteCreationResult> {
  const { creation } = services.records.policies;
  const present = await creation.current();
  if ((present?.version ?? 'none') !== by.expected) return { kind: 'changed', present };
  const errors = await unknownIds(services, namedInCreation(policy));
  if (errors.length > 0) return { kind: 'invalid', errors };
  try {
    const etag = present?.etag;
    return {
      kind: 'written',
      document: await creation.write(policy, { ...by, at, ...(etag !== undefined && { etag }) }),
    };
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    return { kind: 'changed', present: await creation.current() };
  }
}

import { addDuration } from '../domain/duration';
import type { Refusal } from '../domain/eligibility';
import { grantedDuration } from '../domain/policy';
import type { Policy } from '../domain/policy';
import { assess } from '../join-requests/assess';
import { checkAgainstPolicy, refuseByEarlier } from '../join-requests/file';
import type { Services } from '../services';
import type { FieldError } from '../web/problem';

/** What would happen if the person asked now. Dates suppose that every mail is accepted at once and every stage takes all its time. */
export interface DryRun {
  eligible: boolean;
  refusal?: Refusal;
  /** What the policy says against the duration that was named. */
  errors?: FieldError[];
  policyVersion: string;
  /** Nobody would be asked: the person owns the group, and the policy lets owners join. */
  withoutAsking: boolean;
  /** The request would go on with a membership that ends then. */
  extends?: { until: string };
  stages: {
    number: number;
    parties: { required: number; people: { id: string; name: string }[] }[];
    opensAt: string;
    remindersAt: string[];
    escalatesAt?: string;
    expiresAt: string;
  }[];
  /** How long the membership would last; absent: without an end. */
  duration?: string;
  /** Where the request was denied, it could be filed again this long after. */
  coolDown?: string;
}

/** Looks and tells; writes nothing. `draft` is a policy that is not in force yet. */
export async function dryRun(
  services: Services,
  asked: { groupId: string; person: string; duration?: string; draft?: Policy },
  at: Date,
): Promise<DryRun> {
  const {
    group,
    person,
    policy,
    version,
    stages,
    refusal: refused,
    asOwner,
    extends: extension,
  } = await assess(services, asked);
  const refusal = refused ?? (group && person && (await refuseByEarlier(services, group.id, person.id, at)));
  const errors = checkAgainstPolicy({ duration: asked.duration }, policy);
  const duration = grantedDuration(policy, asked.duration);
  let opens = at;
  return {
    eligible: refusal === undefined && errors.length === 0,
    ...(refusal && { refusal }),
    ...(errors.length > 0 && { errors }),
    policyVersion: version,
    withoutAsking: asOwner && refusal === undefined,
    ...(extension && { extends: extension }),
    stages: stages.map((parties, index) => {
      const { reminders = [], escalateAfter, deadline = 'PT0S' } = policy.stages[index] ?? {};
      const opensAt = opens;
      opens = addDuration(opensAt, deadline);
      const after = (period: string): string => addDuration(opensAt, period).toISOString();
      return {
        number: index + 1,
        parties: parties.map(({ required, approvers }) => ({
          required,
          people: approvers.map(({ id, displayName }) => ({ id, name: displayName })),
        })),
        opensAt: opensAt.toISOString(),
        remindersAt: reminders.map(after).toSorted(),
        ...(escalateAfter !== undefined && { escalatesAt: after(escalateAfter) }),
        expiresAt: opens.toISOString(),
      };
    }),
    ...(duration !== undefined && { duration }),
    ...(policy.coolDown !== undefined && { coolDown: policy.coolDown }),
  };
}

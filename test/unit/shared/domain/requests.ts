import type { Approver, Party } from '../../../../shared/domain/approvers';
import * as joinRequest from '../../../../shared/domain/join-request';
import type { JoinRequest } from '../../../../shared/domain/join-request';
import { policySchema } from '../../../../shared/domain/policy';

// Requests as the rules are tried on.

export const DAY = 86_400_000;
export const START = new Date('2026-11-24T08:00:00Z');
export const after = (ms: number): Date => new Date(START.getTime() + ms);
export const approver = (id: string): Approver => ({
  id,
  displayName: id.toUpperCase(),
  mail: `${id}@contoso.example`,
});
export const [a, b, c] = ['a', 'b', 'c'].map(approver) as [Approver, Approver, Approver];

/** Filed at `START` under this policy; `a` and `b` may decide. */
export function filed(policy: Record<string, unknown> = {}): JoinRequest {
  return joinRequest.file(
    {
      id: 'r1',
      group: { id: 'g', name: 'G' },
      requester: { id: 'me', name: 'Me' },
      filedBy: { kind: 'app', id: 'portal' },
      justification: 'because',
      policy: policySchema.parse({ optedIn: true, ...policy }),
      policyVersion: 'group@1',
      approvers: [a, b],
    },
    START,
  ).request;
}

/** Whoever may decide was mailed. */
export const asked = (request: JoinRequest, at: Date, acceptedAt = at): JoinRequest =>
  joinRequest.asked(
    request,
    { approvers: [a, b], asked: ['a', 'b'], reminded: [], unreachable: [], reminders: 0, nudges: 0 },
    at,
    acceptedAt,
  ).request;
/** One party of these people, of whom so many must approve. */
export const party = (approvers: Approver[], required = 1): Party[] => [{ required, approvers }];

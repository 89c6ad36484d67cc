import { createHash, randomBytes } from 'node:crypto';

import { everyoneOf } from '../domain/approvers';
import { durationMs } from '../domain/duration';
import { refusals } from '../domain/eligibility';
import type { Refusal } from '../domain/eligibility';
import { coolsDownUntil, file, isOpen } from '../domain/join-request';
import type { Actor, JoinRequest } from '../domain/join-request';
import type { Policy } from '../domain/policy';
import { grantedDuration } from '../domain/policy';
import { takeClaim } from '../records/claims';
import type { Stored, Via } from '../records/join-requests';
import { writtenText } from '../mail/text';
import { claimHolder } from '../records/records';
import { Conflict } from '../records/tables';
import type { Services } from '../services';
import { traceParent } from '../tracing';
import type { FieldError } from '../web/problem';
import { assess } from './assess';

export interface Filing {
  groupId: string;
  /** Object id or user principal name. */
  person: string;
  justification: string;
  duration?: string;
  filedBy: Actor & { kind: 'person' | 'app' };
  via: Via;
  /** Rejects where the caller may not file for this person, by object id, now; awaited before anything is written. */
  admit?: (personId: string) => Promise<void>;
  /** Present where the caller sent an Idempotency-Key: the key, and the body it goes with. */
  idempotency?: { key: string; body: string };
}

export type FileResult =
  /** Filed now, or before by the same key: the workflow shall run. */
  | { kind: 'filed'; request: JoinRequest; repeated: boolean }
  /** The person has an open request for this group already. */
  | { kind: 'open-already'; request: JoinRequest }
  /** `until`: from then on it would not be refused for this. */
  | { kind: 'refused'; refusal: Refusal; hidden: boolean; until?: Date }
  | { kind: 'invalid'; errors: FieldError[] }
  | { kind: 'key-reused' }
  /** Another call is filing for the same person and group at this moment. */
  | { kind: 'in-progress' };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The id is derived from caller, route and key, so that creating the row is the check for a repeat; without a key it is random. */
function requestId({ filedBy, groupId, idempotency }: Filing): string {
  if (idempotency === undefined) return randomBytes(16).toString('hex');
  return sha256(JSON.stringify([filedBy.kind, filedBy.id, groupId, idempotency.key])).slice(0, 32);
}

/** What the policy asks of a request and this one lacks. */
export function checkAgainstPolicy(
  filing: { justification?: string; duration?: string | undefined },
  policy: Policy,
): FieldError[] {
  const errors: FieldError[] = [];
  const { required, minimumLength, prompt } = policy.justification;
  const length = Array.from(writtenText(filing.justification ?? '')).length;
  // a dry run has no reason to look at
  if (filing.justification !== undefined && required && length < Math.max(1, minimumLength)) {
    const say =
      minimumLength > 1
        ? `Say why, in at least ${String(minimumLength)} characters.`
        : 'Say why this person needs to be a member.';
    errors.push({
      pointer: '/justification',
      detail: prompt === undefined ? say : `${say} The group wants to know: ${prompt}`,
    });
  }
  if (
    filing.duration !== undefined &&
    policy.maximumDuration !== undefined &&
    durationMs(filing.duration) > durationMs(policy.maximumDuration)
  ) {
    errors.push({ pointer: '/duration', detail: `This group allows at most ${policy.maximumDuration}.` });
  }
  return errors;
}

/** What stands already under this id: the same filing again, or the same key with another body. */
function repeated(stored: Stored, bodyHash: string | undefined): FileResult {
  return stored.bodyHash === bodyHash
    ? { kind: 'filed', request: stored.request, repeated: true }
    : { kind: 'key-reused' };
}

/** Refusals that a better body would not mend are told only once the body is right. */
const comesAfterInput = ({ rule }: Refusal): boolean =>
  rule === 'already-member' || rule === 'no-approvers' || rule === 'too-few-approvers';

/**
 * Files a join request: claim, open row, request row, in this order, so that a crash after any of them leaves nothing that a repeat,
 * the sweeper or the next filing does not mend. Nothing is written for a request that is refused.
 */
export async function fileJoinRequest(services: Services, filing: Filing, at: Date): Promise<FileResult> {
  const { records } = services;
  const id = requestId(filing);
  const bodyHash = filing.idempotency === undefined ? undefined : sha256(filing.idempotency.body);

  const [before, assessment] = await Promise.all([
    filing.idempotency === undefined ? undefined : records.requests.read(id),
    assess(services, filing),
  ]);
  if (before !== undefined) return repeated(before, bodyHash);
  const { group, person, policy, version, refusal, stages } = assessment;
  const hidden = group === undefined || group.hiddenMembership || !policy.optedIn;
  // a person can't ask for a group whose membership is hidden: an answer would tell that it exists
  if (hidden && filing.filedBy.kind === 'person') return { kind: 'refused', refusal: refusals.groupNotFound, hidden };
  if (refusal !== undefined && !comesAfterInput(refusal)) return { kind: 'refused', refusal, hidden };
  if (group === undefined || person === undefined)
    return { kind: 'refused', refusal: refusals.groupNotFound, hidden: true };
  const errors = checkAgainstPolicy(filing, policy);
  if (errors.length > 0) return { kind: 'invalid', errors };
  if (refusal !== undefined) return { kind: 'refused', refusal, hidden };

  const claim = await claimFor(services, group.id, person.id, id, at);
  if (claim.kind !== 'taken') return claim;

  const duration = grantedDuration(policy, filing.duration);
  const trace = traceParent();
  const change = file(
    {
      id,
      group: { id: group.id, name: group.displayName },
      requester: { id: person.id, name: person.displayName },
      filedBy: filing.filedBy,
      justification: filing.justification,
      ...(duration !== undefined && { duration }),
      policy,
      policyVersion: version,
      approvers: everyoneOf(stages[0] ?? []),
      ...(assessment.extends && { extends: assessment.extends }),
      ...(assessment.asOwner && { asOwner: true }),
      ...(trace !== undefined && { trace }),
    },
    at,
  );
  try {
    const stored = await records.requests.create(change, {
      ...filing.via,
      ...(bodyHash !== undefined && { bodyHash }),
    });
    return { kind: 'filed', request: stored.request, repeated: false };
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    // a repeat of the same call got here first, or the answer to our own write was lost
    const stored = await records.requests.read(id);
    if (stored === undefined) throw error;
    return repeated(stored, bodyHash);
  }
}

/** Why an earlier request of the same person keeps a new one from being filed now: it is open, or its denial too young. */
export async function refuseByEarlier(
  { records }: Services,
  groupId: string,
  personId: string,
  at: Date,
): Promise<Refusal | undefined> {
  const holder = await claimHolder(records, groupId, personId);
  if (holder === undefined) return undefined;
  if (isOpen(holder)) return refusals.openAlready;
  const until = coolsDownUntil(holder);
  return until !== undefined && until > at ? refusals.deniedRecently(until.toISOString()) : undefined;
}

/** The one open request of this person for this group: taken, or why not. */
async function claimFor(
  { records }: Services,
  groupId: string,
  personId: string,
  id: string,
  at: Date,
): Promise<{ kind: 'taken' } | FileResult> {
  const coolsDown = (holder: JoinRequest): Date | undefined => {
    const until = coolsDownUntil(holder);
    return until !== undefined && until > at ? until : undefined;
  };
  const claimed = await takeClaim(records.claims, [groupId, personId], id, at, {
    read: async (holderId) => (await records.requests.read(holderId))?.request,
    holds: (holder) => isOpen(holder) || coolsDown(holder) !== undefined,
  });
  if (claimed.kind !== 'held') return claimed;
  const until = isOpen(claimed.by) ? undefined : coolsDown(claimed.by);
  return until === undefined
    ? { kind: 'open-already', request: claimed.by }
    : { kind: 'refused', refusal: refusals.deniedRecently(until.toISOString()), hidden: false, until };
}

import { createHash, randomBytes } from 'node:crypto';

import { durationMs } from '../domain/duration';
import { refusals } from '../domain/eligibility';
import type { Refusal } from '../domain/eligibility';
import { file, isOpen } from '../domain/join-request';
import type { Actor, JoinRequest } from '../domain/join-request';
import type { Policy } from '../domain/policy';
import { grantedDuration } from '../domain/policy';
import type { Claim } from '../records/claims';
import type { Stored } from '../records/join-requests';
import { Conflict } from '../records/tables';
import type { Services } from '../services';
import type { FieldError } from '../web/problem';
import { policyInForce, refuse } from './eligibility';
import { whoMayDecide } from './who-may-decide';

export interface Filing {
  groupId: string;
  /** Object id or user principal name. */
  person: string;
  justification: string;
  duration?: string;
  filedBy: Actor & { kind: 'person' | 'app' };
  route: string;
  /** Present where the caller sent an Idempotency-Key: the key, and the body it goes with. */
  idempotency?: { key: string; body: string };
}

export type FileResult =
  /** Filed now, or before by the same key: the workflow shall run. */
  | { kind: 'filed'; request: JoinRequest; repeated: boolean }
  /** The person has an open request for this group already. */
  | { kind: 'open-already'; request: JoinRequest }
  | { kind: 'refused'; refusal: Refusal; hidden: boolean }
  | { kind: 'invalid'; errors: FieldError[] }
  | { kind: 'key-reused' }
  /** Another call is filing for the same person and group at this moment. */
  | { kind: 'in-progress' };

/** After this long a claim whose request never came to be may be taken over. */
const ABANDONED_AFTER_MS = 120_000;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The id is derived from caller, route and key, so that creating the row is the check for a repeat; without a key it is random. */
function requestId({ filedBy, groupId, idempotency }: Filing): string {
  if (idempotency === undefined) return randomBytes(16).toString('hex');
  return sha256(JSON.stringify([filedBy.kind, filedBy.id, groupId, idempotency.key])).slice(0, 32);
}

function checkAgainstPolicy(filing: Filing, policy: Policy): FieldError[] {
  const errors: FieldError[] = [];
  const { required, minimumLength } = policy.justification;
  const length = Array.from(filing.justification.trim()).length;
  if (required && length < Math.max(1, minimumLength)) {
    errors.push({
      pointer: '/justification',
      detail:
        minimumLength > 1
          ? `Say why, in at least ${String(minimumLength)} characters.`
          : 'Say why this person needs to be a member.',
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

/**
 * Files a join request: claim, open row, request row, in this order, so that a crash after any of them leaves nothing that a repeat,
 * the sweeper or the next filing does not mend. Nothing is written for a request that is refused.
 */
export async function fileJoinRequest(services: Services, filing: Filing, at: Date): Promise<FileResult> {
  const { directory, records } = services;
  const id = requestId(filing);
  const bodyHash = filing.idempotency === undefined ? undefined : sha256(filing.idempotency.body);

  // Every filing makes the same calls, whatever they find: what is hidden can't be told from what does not exist.
  const [before, group, person, { policy, version }] = await Promise.all([
    filing.idempotency === undefined ? undefined : records.requests.read(id),
    directory.group(filing.groupId),
    directory.person(filing.person),
    policyInForce(services, filing.groupId),
  ]);
  if (before !== undefined) return repeated(before, bodyHash);
  const requesterId = person?.id ?? filing.person;
  const [isMember, approvers] = await Promise.all([
    directory.isMember(filing.groupId, requesterId),
    whoMayDecide(directory, { groupId: filing.groupId, requesterId, policy, stage: 0 }),
  ]);

  const refusal = await refuse(directory, group, person, policy);
  const hidden = group === undefined || group.hiddenMembership || !policy.optedIn;
  // a person can't ask for a group whose membership is hidden: an answer would tell that it exists
  if (hidden && filing.filedBy.kind === 'person') return { kind: 'refused', refusal: refusals.groupNotFound, hidden };
  if (refusal !== undefined) return { kind: 'refused', refusal, hidden };
  if (group === undefined || person === undefined)
    return { kind: 'refused', refusal: refusals.groupNotFound, hidden: true };
  const errors = checkAgainstPolicy(filing, policy);
  if (errors.length > 0) return { kind: 'invalid', errors };
  if (isMember) return { kind: 'refused', refusal: refusals.alreadyMember, hidden };
  if (approvers.length === 0) return { kind: 'refused', refusal: refusals.noApprovers, hidden };

  const claim = await takeClaim(services, group.id, person.id, id, at);
  if (claim.kind !== 'taken') return claim;

  const duration = grantedDuration(policy, filing.duration);
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
      approvers,
    },
    at,
  );
  try {
    const stored = await records.requests.create(change, {
      route: filing.route,
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

async function takeClaim(
  { records }: Services,
  groupId: string,
  personId: string,
  id: string,
  at: Date,
): Promise<{ kind: 'taken' } | FileResult> {
  try {
    await records.claims.take(groupId, personId, id, at);
    return { kind: 'taken' };
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
  const claim = await records.claims.read(groupId, personId);
  if (claim === undefined) return { kind: 'in-progress' };
  if (claim.requestId === id) return { kind: 'taken' };
  const holder = await records.requests.read(claim.requestId);
  if (holder !== undefined && isOpen(holder.request)) return { kind: 'open-already', request: holder.request };
  if (holder === undefined && !isAbandoned(claim, at)) return { kind: 'in-progress' };
  try {
    await records.claims.takeOver(groupId, personId, id, at, claim);
    return { kind: 'taken' };
  } catch (error) {
    if (error instanceof Conflict) return { kind: 'in-progress' };
    throw error;
  }
}

const isAbandoned = (claim: Claim, at: Date): boolean =>
  at.getTime() - new Date(claim.claimedAt).getTime() > ABANDONED_AFTER_MS;

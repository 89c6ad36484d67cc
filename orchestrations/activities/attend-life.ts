import { DirectoryRefused, DirectoryUnavailable } from '../../shared/directory/directory';
import {
  directoryRenewed,
  expireGroup,
  groupGone,
  groupKept,
  leaveToOperations,
  ownersWarned,
  postponeLife,
  renewGroup,
  scheduled,
} from '../../shared/domain/group-life';
import type { GroupLife, LifeStep } from '../../shared/domain/group-life';
import { lifetimeDue } from '../../shared/domain/group-lifetime';
import { GATEHOUSE } from '../../shared/domain/join-request';
import { FeatureOff, needFeature } from '../../shared/group-changes/features';
import { lifeRules, usedAt } from '../../shared/group-lives/rules';
import type { LifeRules } from '../../shared/group-lives/rules';
import { MailUnavailable } from '../../shared/mail/mailer';
import type { StoredLife } from '../../shared/records/group-lives';
import { retryOnConflict } from '../../shared/records/tables';
import type { Services } from '../../shared/services';
import { event } from '../../shared/telemetry';
import { beginDeleting, finishDeleting } from './delete-group';
import { LeftToOperations } from './left-to-operations';
import { isBelieved, retryAt } from './standing';
import { tellOfLife, warnOwners } from './tell-of-life';

const ROUTE = 'activity:attendLife';

export interface LifeInput {
  groupId: string;
  /** The orchestrator's time. */
  at: string;
}

/** What stands after a step: all that the orchestrator knows. */
export interface LifeStanding {
  waitingFor: GroupLife['waitingFor'];
  /** When the next step is due; null where nothing is, or operations must look first. */
  due: string | null;
}

/** A step of a life: what is to be known for it. */
export interface AtLife extends LifeRules {
  stored: StoredLife;
  at: Date;
}

/**
 * Takes the step that is due in the life of a group: a warning, its end, what comes after the grace, or the next page of telling somebody;
 * and writes when the next one is. Each step reads the row first and writes under its ETag: a renewal that comes between wins. What can't
 * be done now is written down, with when it is tried again.
 */
export function attendLife(services: Services, input: LifeInput): Promise<LifeStanding> {
  const { lives } = services.records;
  const at = new Date(Math.max(new Date(input.at).getTime(), Date.now()));
  return retryOnConflict(async (): Promise<LifeStanding> => {
    const stored = await lives.read(input.groupId);
    if (stored === undefined) return { waitingFor: null, due: null };
    if (stored.life.due === null || new Date(stored.life.due) > at) return standing(stored.life);
    try {
      const step = await next(services, { ...(await lifeRules(services, stored.life)), stored, at });
      return standing((await lives.write(stored, step, { route: ROUTE })).life);
    } catch (error) {
      const step = waitingStep(stored.life, error, at);
      if (step === undefined) throw error;
      if (step.life.waitingFor === 'operations')
        event('request-failed', { requestId: input.groupId, rule: step.life.why?.rule ?? '' });
      return standing((await lives.write(stored, step, { route: ROUTE })).life);
    }
  });
}

const standing = ({ waitingFor, due }: GroupLife): LifeStanding => ({ waitingFor, due });

/** How the life stands where the step could not be taken; `undefined` for what nobody foresaw. */
function waitingStep(life: GroupLife, error: unknown, at: Date): LifeStep | undefined {
  if (error instanceof MailUnavailable || error instanceof DirectoryUnavailable) {
    const waitingFor = error instanceof MailUnavailable ? 'mail' : 'directory';
    return postponeLife(life, waitingFor, retryAt(at, life.attempts, error.retryAfterMs));
  }
  if (error instanceof DirectoryRefused)
    return leaveToOperations(life, { rule: error.code, sentence: error.message }, at);
  if (error instanceof FeatureOff)
    return leaveToOperations(life, { rule: 'feature-off', sentence: error.sentence }, at);
  return error instanceof LeftToOperations ? leaveToOperations(life, error.why, at) : undefined;
}

/** The step that is due, done: how the life stands after it. */
async function next(services: Services, now: AtLife): Promise<LifeStep> {
  const { stored, rules, at } = now;
  const { life } = stored;
  if (life.toRenew === true) return renewInDirectory(services, now);
  if (life.telling !== undefined) return tellOfLife(services, now, life.telling);
  if (life.deleting === true) return finishDeleting(services, now);
  const anew = await startedAnew(services, now);
  if (anew !== undefined) return anew;
  const step = rules === undefined ? undefined : lifetimeDue(life.life, rules, at).step;
  if (rules === undefined || step === undefined) return { life: scheduled(life, rules, at), entries: [] };

  const group = await services.directory.group(life.group.id);
  if (group === undefined) return missing(life, at);
  const named: GroupLife = { ...life, group: { id: life.group.id, name: group.displayName } };
  switch (step.kind) {
    case 'warn': {
      const people = await warnOwners(services, { ...now, stored: { ...stored, life: named } }, rules, step);
      return ownersWarned(named, { warning: step.warning, people, expires: step.expiresAt }, rules, at);
    }
    case 'expire':
      return expireGroup(named, rules, at);
    case 'keep':
      return groupKept(named, at);
    case 'delete':
      return beginDeleting(services, named, group, rules, at);
  }
}

/** @throws {DirectoryUnavailable} the first times: the directory may miss for a moment what it has */
function missing(life: GroupLife, at: Date): LifeStep {
  if (!isBelieved(life, { attempt: life.attempts }))
    throw new DirectoryUnavailable('The group is not there at this moment.');
  return groupGone(life, at);
}

/** The directory saw a Microsoft 365 group used, or somebody renewed it there; or no group of this kind has an end any more. */
async function startedAnew(services: Services, { stored, rules, at }: AtLife): Promise<LifeStep | undefined> {
  const { life } = stored;
  if (rules === undefined) {
    if (life.life.expiredAt === undefined) return undefined;
    return renewGroup(life, { how: 'policy', by: GATEHOUSE, from: at }, rules, at);
  }
  const from = await usedAt(services, life);
  return from && renewGroup(life, { how: 'use', by: GATEHOUSE, from }, rules, at);
}

/** Microsoft 365 counts a group's time for itself, where the tenant has a policy for that. */
async function renewInDirectory(services: Services, { stored, rules, at }: AtLife): Promise<LifeStep> {
  const { life } = stored;
  await needFeature(services, 'own-groups');
  const result = await services.directory.renewGroup(life.group.id);
  return result === 'gone' ? missing(life, at) : directoryRenewed(life, rules, at);
}

import type { Facts } from './audit-chain';
import { addDuration } from './duration';
import type { GroupKind, Named } from './group-change';
import {
  afterwardsOf,
  bornAt,
  closed,
  expired,
  expiresAt,
  isClosedToRequests,
  lifetimeDue,
  lifetimeWarned,
  renewed,
} from './group-lifetime';
import type { Afterwards, GroupLifetime, LifetimePolicy } from './group-lifetime';
import { GATEHOUSE } from './join-request';
import type { Actor } from './join-request';

/** What those concerned are still to be told of a life, page by page. */
export interface Telling {
  what: 'expired' | 'renewed' | 'deleted';
  /** The page that comes next; absent: the first. */
  after?: string;
  /** Of a renewal: the term of whose end people were told. Absent: the one before this. */
  of?: number;
}

/**
 * The life of a group that Gatehouse created, in a row of its own: the authority on when it expires and on what was done about it. A group
 * without one never expires, and is never deleted. Times are ISO 8601 in UTC.
 */
export interface GroupLife {
  group: Named;
  kind: GroupKind;
  /** ISO 8601 duration: the lifetime that was asked for when the group was created. */
  expires?: string;
  /** 1, and one more with each renewal: names the mails of each life. */
  term: number;
  life: GroupLifetime;
  /** Who renewed it last, where it was a person. */
  renewedBy?: Named;
  /** Renewed, and the directory is still to be told: Microsoft 365 counts for itself. */
  toRenew?: true;
  telling?: Telling;
  /** Written before the directory is asked to delete the group: from then on it can't be renewed. */
  deleting?: true;
  /** Who owned it when it was deleted: they are told so, and the directory does not say any more. */
  ownersThen?: string[];
  /** The group was deleted by somebody else: nothing is due any more. */
  isGone?: true;
  /** What the next step could not be taken for. */
  waitingFor: 'mail' | 'directory' | 'operations' | null;
  /** Why it waits for operations. */
  why?: { rule: string; sentence: string };
  /** How often in a row the step could not be taken. */
  attempts: number;
  /** When it is looked at next; null where nothing is due any more, or operations must look first. */
  due: string | null;
}

export type LifeEvent =
  | 'life-begun'
  | 'owners-warned'
  | 'warning-lost'
  | 'group-renewed'
  | 'group-expired'
  | 'members-told'
  | 'group-deleting'
  | 'group-deleted'
  | 'group-kept'
  | 'life-over'
  | 'life-waits'
  | 'life-retried';

export interface LifeEntry {
  event: LifeEvent;
  at: string;
  by: Actor;
  data?: Record<string, unknown>;
}

/** The row as it shall stand and the entries that say so. */
export interface LifeStep {
  life: GroupLife;
  entries: LifeEntry[];
}

/** What renewed a group: somebody who may, Microsoft 365 that saw it used, or the policy, under which it lives for ever now. */
export type Renewal = 'owner' | 'administrator' | 'use' | 'policy';

/** At the latest after so long a life is looked at again: a policy that changed meanwhile reaches every group within this time. */
const LOOK_AGAIN = 'P7D';
/** Clocks differ, and a renewal of ours is one for the directory as well: only what is later by so much is a use that we did not know of. */
const USE_COUNTS_AFTER = 'PT1H';

const iso = (at: Date): string => at.toISOString();

const step = (
  life: GroupLife,
  event: LifeEvent,
  at: Date,
  by: Actor = GATEHOUSE,
  data?: Record<string, unknown>,
): LifeStep => ({ life, entries: [{ event, at: iso(at), by, ...(data !== undefined && { data }) }] });

/** Whether nothing will ever be due of it, unless it is renewed. */
export const isOver = ({ life, isGone, telling }: GroupLife): boolean =>
  isGone === true || (life.closed !== undefined && telling === undefined);

/** What the trail keeps of a life: all of it changes only together with an entry. */
export const lifeFacts = ({ term, life, deleting, isGone, waitingFor }: GroupLife): Facts => ({
  term,
  livesFrom: life.from,
  ...(life.warnedAt !== undefined && { warnedAt: life.warnedAt }),
  ...(life.expiredAt !== undefined && { expiredAt: life.expiredAt }),
  ...(life.closed !== undefined && { closed: life.closed.how }),
  ...(deleting === true && { deleting }),
  ...(isGone === true && { isGone }),
  ...(waitingFor === 'operations' && { waitsForOperations: true }),
});

/** The life with what it was waiting for behind it, and when it is looked at next. `rules`: `undefined` where the group lives for ever. */
export function scheduled({ why: _why, ...life }: GroupLife, rules: LifetimePolicy | undefined, at: Date): GroupLife {
  return { ...life, waitingFor: null, attempts: 0, due: nextLook(life, rules, at) };
}

function nextLook(life: GroupLife, rules: LifetimePolicy | undefined, at: Date): string | null {
  if (isOver(life)) return null;
  if (life.telling !== undefined || life.toRenew === true || life.deleting === true) return iso(at);
  const latest = addDuration(at, LOOK_AGAIN);
  const due = rules === undefined ? undefined : lifetimeDue(life.life, rules, at).at;
  return iso(due === undefined || due > latest ? latest : due);
}

/** The group was created. `by` is who asked for it, by the change of this id. */
export function beginLife(
  born: Pick<GroupLife, 'group' | 'kind' | 'expires'> & { by: Actor; changeId: string },
  rules: LifetimePolicy | undefined,
  at: Date,
): LifeStep {
  const { group, kind, expires, by, changeId } = born;
  const life: GroupLife = {
    group,
    kind,
    ...(expires !== undefined && { expires }),
    term: 1,
    life: bornAt(at),
    waitingFor: null,
    attempts: 0,
    due: null,
  };
  const said = { change: changeId, ...(expires !== undefined && { expires }) };
  return step(scheduled(life, rules, at), 'life-begun', at, by, said);
}

/** The owners, or those at the fallback address, were warned that the group expires. */
export function ownersWarned(
  life: GroupLife,
  { warning, people, expires }: { warning: number; people: string[]; expires: Date },
  rules: LifetimePolicy,
  at: Date,
): LifeStep {
  const warned = { ...life, life: lifetimeWarned(life.life, expires, at) };
  const said = { warning, people, expiresAt: iso(expires) };
  return step(scheduled(warned, rules, at), 'owners-warned', at, GATEHOUSE, said);
}

/**
 * No mail of the last warning arrived: it is due again, and with it the time to answer. The row is written also where the warning is just
 * being given, so that whoever gives it looks again. `undefined` where the end is behind the group, or nothing is due of it.
 */
export function warningLost(life: GroupLife, at: Date): LifeStep | undefined {
  if (isOver(life) || life.deleting === true || life.life.expiredAt !== undefined) return undefined;
  if (life.waitingFor === 'operations') return undefined;
  const { warnedAt, ...rest } = life.life;
  const again: GroupLife = { ...life, life: rest, due: iso(at) };
  return warnedAt === undefined ? { life: again, entries: [] } : step(again, 'warning-lost', at);
}

/** Nobody renewed it: from now on it is closed to new requests, and its members are told. */
export function expireGroup(life: GroupLife, rules: LifetimePolicy, at: Date): LifeStep {
  const over: GroupLife = { ...life, life: expired(life.life, rules, at), telling: { what: 'expired' } };
  const after = afterwardsIn(over, rules);
  return step(scheduled(over, rules, at), 'group-expired', at, GATEHOUSE, {
    ...(after !== undefined && { afterwards: after.how, on: after.at }),
  });
}

/** A page of those concerned was told; without `after` it was the last. */
export function toldPage(
  life: GroupLife,
  after: string | undefined,
  rules: LifetimePolicy | undefined,
  at: Date,
): LifeStep {
  const { telling, ...rest } = life;
  if (telling === undefined) return { life, entries: [] };
  if (after !== undefined)
    return { life: scheduled({ ...rest, telling: { ...telling, after } }, rules, at), entries: [] };
  return step(scheduled(rest, rules, at), 'members-told', at, GATEHOUSE, { what: telling.what });
}

/** The grace is over and the policy says that the group is deleted: that is done next. */
export const startDeleting = (life: GroupLife, ownersThen: string[], rules: LifetimePolicy, at: Date): LifeStep =>
  step(scheduled({ ...life, deleting: true, ownersThen }, rules, at), 'group-deleting', at);

/** The policy changed its mind before the directory was asked. */
export function keepAfterAll(life: GroupLife, rules: LifetimePolicy | undefined, at: Date): LifeStep {
  const { deleting: _deleting, ...rest } = life;
  return { life: scheduled(rest, rules, at), entries: [] };
}

export function groupDeleted(life: GroupLife, at: Date): LifeStep {
  const { deleting: _deleting, ...rest } = life;
  const gone: GroupLife = { ...rest, life: closed(life.life, 'deleted', at), telling: { what: 'deleted' } };
  return step(scheduled(gone, undefined, at), 'group-deleted', at);
}

/** The grace is over, and the policy lets the group stay: closed to new requests. */
export const groupKept = (life: GroupLife, at: Date): LifeStep =>
  step(scheduled({ ...life, life: closed(life.life, 'kept', at) }, undefined, at), 'group-kept', at);

/** Somebody deleted the group in Microsoft Entra ID. */
export function groupGone(life: GroupLife, at: Date): LifeStep {
  const { telling: _telling, toRenew: _toRenew, deleting: _deleting, ...rest } = life;
  const said = { rule: 'group-not-found' };
  return step(scheduled({ ...rest, isGone: true }, undefined, at), 'life-over', at, GATEHOUSE, said);
}

/** Whether the directory saw the group used or renewed since its life began, in a way that we did not know of. */
export const wasUsed = ({ life }: GroupLife, renewedAt: Date | undefined): renewedAt is Date =>
  renewedAt !== undefined && renewedAt >= addDuration(new Date(life.from), USE_COUNTS_AFTER);

/**
 * The group lives anew from `from` on. Whoever was told that it would end, or had, is told that it does not; where a renewal before this one
 * is still being told, that goes on.
 * `undefined` where it can't: it is deleted, is being deleted, or what is known is newer.
 * @param isRestored it was deleted, and is there again
 */
export function renewGroup(
  life: GroupLife,
  renewal: { how: Renewal; by: Actor; from: Date; reason?: string; isRestored?: boolean },
  rules: LifetimePolicy | undefined,
  at: Date,
): LifeStep | undefined {
  if (life.deleting === true) return undefined;
  const { how, by, from, reason, isRestored = false } = renewal;
  const next = isRestored ? bornAt(from) : renewed(life.life, from);
  if (next === undefined) return undefined;
  const { telling: before, isGone: _gone, ownersThen: _owners, renewedBy: _by, ...rest } = life;
  const wasTold = life.life.warnedAt !== undefined || life.life.expiredAt !== undefined;
  const anew: GroupLife = {
    ...rest,
    term: life.term + 1,
    life: next,
    ...(by.kind === 'person' && { renewedBy: { id: by.id, name: by.name ?? by.id } }),
    ...(life.kind === 'microsoft365' && (how === 'owner' || how === 'administrator') && { toRenew: true }),
    ...(wasTold
      ? { telling: { what: 'renewed', of: life.term } }
      : before?.what === 'renewed' && { telling: { ...before, of: before.of ?? life.term - 1 } }),
  };
  const said = { how, ...(isRestored && { isRestored }), ...(reason !== undefined && { reason }) };
  return step(scheduled(anew, rules, at), 'group-renewed', at, by, said);
}

/** The directory knows of the renewal. */
export function directoryRenewed(life: GroupLife, rules: LifetimePolicy | undefined, at: Date): LifeStep {
  const { toRenew: _toRenew, ...rest } = life;
  return { life: scheduled(rest, rules, at), entries: [] };
}

/** The step can't be taken now: it is due again later, and what it waits for is said. */
export const postponeLife = (life: GroupLife, waitingFor: 'mail' | 'directory', until: Date): LifeStep => ({
  life: { ...life, waitingFor, attempts: life.attempts + 1, due: iso(until) },
  entries: [],
});

/** Only operations can mend what is in the way. A deletion that was refused is taken back, so that the group can be renewed meanwhile. */
export function leaveToOperations(life: GroupLife, why: { rule: string; sentence: string }, at: Date): LifeStep {
  const { deleting: _deleting, ...rest } = life;
  const waiting: GroupLife = { ...rest, waitingFor: 'operations', why, due: null };
  return step(waiting, 'life-waits', at, GATEHOUSE, { rule: why.rule });
}

/** Operations let it be tried again. `undefined` where it does not wait for them. */
export function retryLife(life: GroupLife, by: Actor, at: Date): LifeStep | undefined {
  if (life.waitingFor !== 'operations') return undefined;
  const { why: _why, ...rest } = life;
  return step({ ...rest, waitingFor: null, attempts: 0, due: iso(at) }, 'life-retried', at, by);
}

/** Whether new requests to join the group are refused: it expired and was not renewed. */
export const isExpired = ({ life }: GroupLife): boolean => isClosedToRequests(life);

/** When the group expires if nobody renews it; `undefined` where it lives for ever, or is over. */
export function endOf({ life, isGone }: GroupLife, rules: LifetimePolicy | undefined): Date | undefined {
  if (rules === undefined || isGone === true || life.expiredAt !== undefined) return undefined;
  return expiresAt(life, rules);
}

/** What comes after the grace, and when; `undefined` where the group has not expired, or that is behind it. */
export function afterwardsIn({ life }: GroupLife, rules: LifetimePolicy | undefined): Afterwards | undefined {
  const { expiredAt, closed: over } = life;
  if (rules === undefined || expiredAt === undefined || over !== undefined) return undefined;
  return afterwardsOf(life, expiredAt, rules);
}

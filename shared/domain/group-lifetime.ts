import { z } from 'zod';

import { addDuration, durationMs, parseDuration } from './duration';

const duration = z
  .string()
  .refine(
    (text) => (parseDuration(text) ?? 0) > 0,
    'Give an ISO 8601 duration longer than zero, of weeks, days, hours, minutes and seconds, such as P180D.',
  );

const byLength = (one: string, other: string): number => durationMs(other) - durationMs(one);

/** How long groups live without being renewed. */
export const lifetimePolicySchema = z
  .strictObject({
    /** From creation or the last renewal. */
    lifetime: duration.default('P180D'),
    /**
     * Owners are warned this long before the end: 30, 15 and 1 day as Microsoft 365 does
     * (https://learn.microsoft.com/entra/identity/users/groups-lifecycle).
     */
    warnings: z.array(duration).max(10).default(['P30D', 'P15D', 'P1D']),
    /** From the end until what `afterwards` says. */
    grace: duration.default('P30D'),
    /** `delete`: softly, restorable for 30 days; `keep`: the group stays, closed to new requests. */
    afterwards: z.enum(['delete', 'keep']).default('keep'),
  })
  .superRefine(({ lifetime, warnings, afterwards }, context) => {
    if (afterwards === 'delete' && warnings.length === 0)
      context.addIssue({
        code: 'custom',
        path: ['warnings'],
        message: 'A group that is deleted must be warned of first. Give at least one warning, or let it be kept.',
      });
    warnings.forEach((warning, index) => {
      const isLate = (parseDuration(warning) ?? 0) >= (parseDuration(lifetime) ?? Infinity);
      const isTwice = warnings.indexOf(warning) < index;
      if (!isLate && !isTwice) return;
      const message = isTwice
        ? `The warning at ${warning} is named twice. Name it once.`
        : `The warning at ${warning} before the end would come before the lifetime of ${lifetime} begins. Remove it or set a longer lifetime.`;
      context.addIssue({ code: 'custom', path: ['warnings', index], message });
    });
  })
  .transform((policy) => ({ ...policy, warnings: policy.warnings.toSorted(byLength) }));
/** Warnings are in order: the one furthest from the end first. */
export type LifetimePolicy = z.output<typeof lifetimePolicySchema>;

/** The shortest lifetime that a group is given of its own: a warning and an answer must fit into it. */
export const SHORTEST_LIFETIME = 'P1D';

/**
 * The rules that a group lives by: those of the policy, with the lifetime that was asked for when it was created, where that is shorter. Without a
 * policy a lifetime of its own has the usual warnings and grace, and the group is kept; without both it lives for ever (`undefined`).
 * Warnings that would come before such a life begins are left out; where that leaves none, one comes when half of it is over.
 */
export function lifetimeOf(
  policy: LifetimePolicy | undefined,
  expires: string | undefined,
): LifetimePolicy | undefined {
  if (expires === undefined || (policy !== undefined && durationMs(policy.lifetime) <= durationMs(expires)))
    return policy;
  const rules = policy ?? lifetimePolicySchema.parse({});
  const fitting = rules.warnings.filter((warning) => durationMs(warning) < durationMs(expires));
  const half = `PT${String(Math.floor(durationMs(expires) / 2_000))}S`;
  const warnings = fitting.length === 0 && rules.warnings.length > 0 ? [half] : fitting;
  return { ...rules, lifetime: expires, warnings };
}

/** Where a group stands in its life. Times are ISO 8601 in UTC. */
export interface GroupLifetime {
  /** Its creation or last renewal. */
  from: string;
  /** When the last warning of this life was dealt with. */
  warnedAt?: string;
  /** The end that the last warning told. It stands, whatever the policy says since. */
  endTold?: string;
  /** Its end was carried out then: members were told, new requests are refused. */
  expiredAt?: string;
  /** What was told then of what comes after, and when. */
  afterwardsTold?: Afterwards;
  /** What came after the grace, and when. */
  closed?: { how: 'deleted' | 'kept'; at: string };
}

/** What comes once the grace is over, and when. */
export interface Afterwards {
  how: LifetimePolicy['afterwards'];
  at: string;
}

/** What is to be done now. `warning` counts from 1. */
export type LifetimeStep =
  { kind: 'warn'; warning: number; expiresAt: Date } | { kind: 'expire' } | { kind: 'delete' } | { kind: 'keep' };

export interface LifetimeDue {
  step?: LifetimeStep;
  /** When something is due next if nothing changes: now, where `step` is; `undefined` where nothing ever is. */
  at?: Date;
}

const iso = (at: Date): string => at.toISOString();

export const bornAt = (at: Date): GroupLifetime => ({ from: iso(at) });

/** Its lifetime after it was created or renewed, or the end that its owners were told where a policy made that shorter since. */
function endOfTime({ from, endTold }: GroupLifetime, { lifetime }: LifetimePolicy): Date {
  const end = addDuration(new Date(from), lifetime);
  return endTold !== undefined && new Date(endTold) > end ? new Date(endTold) : end;
}

/**
 * When the group expires: its lifetime after it was created or renewed, but not before its owners had the length of the last warning
 * (one day) to answer one, and not before the end that they were told. So nobody loses a group unwarned where mail could not be sent for a
 * while, or where a policy comes into force when the time of old groups is long past.
 */
export function expiresAt(life: GroupLifetime, policy: LifetimePolicy): Date {
  const { warnedAt } = life;
  const { warnings } = policy;
  const end = endOfTime(life, policy);
  const last = warnings.at(-1);
  if (last === undefined || warnedAt === undefined) return end;
  const answerable = addDuration(new Date(warnedAt), last);
  return answerable > end ? answerable : end;
}

/** When the warnings are due, one after the other. */
function warningTimes(life: GroupLifetime, policy: LifetimePolicy): Date[] {
  const end = endOfTime(life, policy).getTime();
  return policy.warnings.map((before) => new Date(end - durationMs(before)));
}

/**
 * What comes after the grace of a group that has expired, and when: as the policy says, but not before what those concerned were told, and
 * a group that was to be kept is not deleted.
 */
export function afterwardsOf(
  { afterwardsTold: told }: GroupLifetime,
  expiredAt: string,
  { grace, afterwards }: LifetimePolicy,
): Afterwards {
  const at = iso(addDuration(new Date(expiredAt), grace));
  return {
    how: told?.how === 'keep' ? 'keep' : afterwards,
    at: told !== undefined && told.at > at ? told.at : at,
  };
}

/**
 * What is due at `now`, and when to look again. Warnings that were missed are made up for by one: the last that is due. A group never
 * expires while a warning is due, is never deleted before its end was carried out and the grace is over, and is left alone once closed.
 */
export function lifetimeDue(life: GroupLifetime, policy: LifetimePolicy, now: Date): LifetimeDue {
  if (life.closed !== undefined) return {};
  if (life.expiredAt !== undefined) {
    const { how, at } = afterwardsOf(life, life.expiredAt, policy);
    return now < new Date(at) ? { at: new Date(at) } : { step: { kind: how }, at: now };
  }
  const times = warningTimes(life, policy);
  const index = times.findLastIndex((at) => at <= now);
  const due = times[index];
  if (due !== undefined && (life.warnedAt === undefined || new Date(life.warnedAt) < due)) {
    const end = expiresAt({ ...life, warnedAt: iso(now) }, policy);
    return { step: { kind: 'warn', warning: index + 1, expiresAt: end }, at: now };
  }
  const end = expiresAt(life, policy);
  if (end <= now) return { step: { kind: 'expire' }, at: now };
  return { at: times[index + 1] ?? end };
}

/** A warning was dealt with, which told this end. */
export function lifetimeWarned(life: GroupLifetime, end: Date, at: Date): GroupLifetime {
  return { ...life, warnedAt: iso(at), endTold: iso(end) };
}

/** The end was carried out. The grace counts from now, so a late end does not shorten it. */
export function expired(life: GroupLifetime, policy: LifetimePolicy, at: Date): GroupLifetime {
  if (life.expiredAt !== undefined) return life;
  const expiredAt = iso(at);
  return { ...life, expiredAt, afterwardsTold: afterwardsOf(life, expiredAt, policy) };
}

/** What comes after the grace was done. */
export function closed(life: GroupLifetime, how: 'deleted' | 'kept', at: Date): GroupLifetime {
  return { ...life, closed: { how, at: iso(at) } };
}

/**
 * The life begins anew at `at`: an owner renewed the group, Microsoft 365 saw it used (`renewedDateTime` moved on), or it was restored.
 * `undefined` where that lies before the life that runs (what is known is newer), or the group is deleted: restore it first.
 */
export function renewed(life: GroupLifetime, at: Date): GroupLifetime | undefined {
  if (life.closed?.how === 'deleted' || at <= new Date(life.from)) return undefined;
  return bornAt(at);
}

/** Whether new requests to join are refused: from the end on, until the group is renewed. */
export const isClosedToRequests = ({ expiredAt }: GroupLifetime): boolean => expiredAt !== undefined;

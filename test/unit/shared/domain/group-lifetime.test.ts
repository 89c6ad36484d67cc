import fc from 'fast-check';

import { durationMs } from '../../../../shared/domain/duration';
import {
  bornAt,
  closed,
  expired,
  expiresAt,
  isClosedToRequests,
  lifetimeDue,
  lifetimeOf,
  lifetimePolicySchema,
  lifetimeWarned,
  renewed,
} from '../../../../shared/domain/group-lifetime';
import type { GroupLifetime, LifetimePolicy } from '../../../../shared/domain/group-lifetime';

const DAY = 86_400_000;
const policy = lifetimePolicySchema.parse({ lifetime: 'P180D', grace: 'P30D', afterwards: 'delete' });
const born = new Date('2026-01-01T00:00:00Z');
const day = (n: number): Date => new Date(born.getTime() + n * DAY);

test('warnings come 30, 15 and 1 day before the end, then the end, then what the policy says', () => {
  let life = bornAt(born);
  expect(lifetimeDue(life, policy, born)).toEqual({ at: day(150) });
  for (const [warning, at, next] of [
    [1, 150, 165],
    [2, 165, 179],
    [3, 179, 180],
  ] as const) {
    const now = day(at);
    expect(lifetimeDue(life, policy, now)).toEqual({ step: { kind: 'warn', warning, expiresAt: day(180) }, at: now });
    life = lifetimeWarned(life, day(180), now);
    expect(lifetimeDue(life, policy, now)).toEqual({ at: day(next) });
  }
  expect(lifetimeDue(life, policy, day(180))).toMatchObject({ step: { kind: 'expire' } });
  expect(isClosedToRequests(life)).toBe(false);
  life = expired(life, policy, day(181));
  expect(isClosedToRequests(life)).toBe(true);
  expect(expired(life, policy, day(190))).toEqual(life);
  expect(lifetimeDue(life, policy, day(200))).toEqual({ at: day(211) });
  expect(lifetimeDue(life, policy, day(211))).toMatchObject({ step: { kind: 'delete' } });
  expect(lifetimeDue(life, { ...policy, afterwards: 'keep' }, day(211))).toMatchObject({ step: { kind: 'keep' } });
  expect(lifetimeDue(closed(life, 'deleted', day(211)), policy, day(9_999))).toEqual({});
});

test('warnings that were missed are made up for by one, and the end waits until it could be answered', () => {
  const late = day(400);
  const life = bornAt(born);
  expect(lifetimeDue(life, policy, late)).toMatchObject({ step: { kind: 'warn', warning: 3, expiresAt: day(401) } });
  const warned = lifetimeWarned(life, day(401), late);
  expect(lifetimeDue(warned, policy, late)).toEqual({ at: day(401) });
  expect(lifetimeDue(warned, policy, day(401))).toMatchObject({ step: { kind: 'expire' } });
});

test('a longer lifetime in the policy brings its warnings anew', () => {
  const life = lifetimeWarned(bornAt(born), day(180), day(179));
  const longer = lifetimePolicySchema.parse({ lifetime: 'P365D' });
  expect(lifetimeDue(life, longer, day(180))).toEqual({ at: day(335) });
  expect(lifetimeDue(life, longer, day(335))).toMatchObject({ step: { kind: 'warn', warning: 1 } });
});

test('a shorter lifetime in the policy does not move the end that owners were told, and they are warned of that one again', () => {
  const warned = lifetimeWarned(bornAt(born), day(180), day(150));
  const shorter = lifetimePolicySchema.parse({ lifetime: 'P60D' });
  expect(lifetimeDue(bornAt(born), shorter, day(160))).toMatchObject({ step: { kind: 'warn', expiresAt: day(161) } });
  expect(lifetimeDue(warned, shorter, day(160))).toEqual({ at: day(165) });
  expect(lifetimeDue(warned, shorter, day(165))).toMatchObject({ step: { kind: 'warn', expiresAt: day(180) } });
  expect(expiresAt(warned, shorter)).toEqual(day(180));
  // a renewal lives by what the policy says now
  expect(expiresAt(renewed(warned, day(170)) ?? warned, shorter)).toEqual(day(230));
});

test('what was told of the time after the end stands: nothing is deleted sooner, and what was to be kept is kept', () => {
  const rules = lifetimePolicySchema.parse({ lifetime: 'P180D', grace: 'P30D', afterwards: 'delete' });
  const over = expired(bornAt(born), rules, day(180));
  const hasty = { ...rules, grace: 'P1D' };
  expect(lifetimeDue(over, hasty, day(200))).toEqual({ at: day(210) });
  expect(lifetimeDue(over, hasty, day(210))).toMatchObject({ step: { kind: 'delete' } });
  expect(lifetimeDue(over, { ...rules, grace: 'P60D' }, day(210))).toEqual({ at: day(240) });
  expect(lifetimeDue(over, { ...rules, afterwards: 'keep' }, day(210))).toMatchObject({ step: { kind: 'keep' } });
  const kept = expired(bornAt(born), { ...rules, afterwards: 'keep' }, day(180));
  expect(lifetimeDue(kept, rules, day(210))).toMatchObject({ step: { kind: 'keep' } });
});

test('a renewal begins the life anew, also after the end, but not of a deleted group nor in the past', () => {
  const life = expired(lifetimeWarned(bornAt(born), day(180), day(179)), policy, day(180));
  expect(renewed(life, day(190))).toEqual({ from: day(190).toISOString() });
  expect(renewed(closed(life, 'kept', day(210)), day(300))).toEqual({ from: day(300).toISOString() });
  expect(renewed(closed(life, 'deleted', day(210)), day(300))).toBeUndefined();
  expect(renewed(life, born)).toBeUndefined();
});

test('a policy deletes no group that it does not warn of', () => {
  expect(lifetimePolicySchema.safeParse({ warnings: [], afterwards: 'keep' }).success).toBe(true);
  expect(
    JSON.stringify(lifetimePolicySchema.safeParse({ warnings: [], afterwards: 'delete' }).error?.issues),
  ).toContain('must be warned of first');
});

test('a policy puts its warnings in order, and refuses those that contradict it', () => {
  expect(lifetimePolicySchema.parse({ warnings: ['P1D', 'P30D', 'PT2H'] }).warnings).toEqual(['P30D', 'P1D', 'PT2H']);
  const refused = lifetimePolicySchema.safeParse({ lifetime: 'P10D', warnings: ['P10D', 'P1D', 'P1D'] });
  expect(refused.error?.issues.map(({ path }) => path)).toEqual([
    ['warnings', 0],
    ['warnings', 2],
  ]);
  expect(lifetimePolicySchema.safeParse({ lifetime: 'PT0S' }).success).toBe(false);
});

test('a lifetime of its own is lived where it is shorter than the policy’s, with the warnings that fit into it', () => {
  expect(lifetimeOf(undefined, undefined)).toBeUndefined();
  expect(lifetimeOf(policy, undefined)).toEqual(policy);
  expect(lifetimeOf(policy, 'P365D')).toEqual(policy);
  expect(lifetimeOf(policy, 'P20D')).toEqual({ ...policy, lifetime: 'P20D', warnings: ['P15D', 'P1D'] });
  // without a policy it is the group's own, and the group is kept
  expect(lifetimeOf(undefined, 'P365D')).toMatchObject({
    lifetime: 'P365D',
    warnings: ['P30D', 'P15D', 'P1D'],
    afterwards: 'keep',
  });
  // nobody expires unwarned whose policy warns at all
  expect(lifetimeOf(policy, 'P1D')).toMatchObject({ warnings: ['PT43200S'] });
  expect(lifetimeOf({ ...policy, warnings: [] }, 'P1D')).toMatchObject({ warnings: [] });
});

const policies: fc.Arbitrary<LifetimePolicy> = fc
  .record({
    lifetime: fc.integer({ min: 40, max: 400 }),
    warnings: fc.uniqueArray(fc.integer({ min: 1, max: 39 }), { maxLength: 4 }),
    grace: fc.integer({ min: 1, max: 60 }),
    afterwards: fc.constantFrom('delete' as const, 'keep' as const),
  })
  .map(({ lifetime, warnings, grace, afterwards }) =>
    lifetimePolicySchema.parse({
      lifetime: `P${String(lifetime)}D`,
      warnings: warnings.map((days) => `P${String(days)}D`),
      grace: `P${String(grace)}D`,
      afterwards: warnings.length === 0 ? 'keep' : afterwards,
    }),
  );

interface Happening {
  kind: string;
  at: number;
}

/** Lets a group live: time passes, whatever is due is done, and somebody renews now and then. */
function live(rules: LifetimePolicy, passing: readonly { hours: number; renew: boolean }[]): Happening[] {
  let life: GroupLifetime = bornAt(born);
  let now = born.getTime();
  const log: Happening[] = [{ kind: 'renew', at: now }];
  for (const { hours, renew } of passing) {
    now += hours * 3_600_000;
    const at = new Date(now);
    if (renew) {
      const anew = renewed(life, at);
      if (anew !== undefined) {
        life = anew;
        log.push({ kind: 'renew', at: now });
      }
    }
    const { step, at: next } = lifetimeDue(life, rules, at);
    if (step === undefined) {
      if (next !== undefined) expect(next.getTime()).toBeGreaterThan(now);
      continue;
    }
    expect(next).toEqual(at);
    log.push({ kind: step.kind, at: now });
    switch (step.kind) {
      case 'warn':
        life = lifetimeWarned(life, step.expiresAt, at);
        expect(expiresAt(life, rules)).toEqual(step.expiresAt);
        break;
      case 'expire':
        life = expired(life, rules, at);
        break;
      case 'delete':
        life = closed(life, 'deleted', at);
        break;
      case 'keep':
        life = closed(life, 'kept', at);
        break;
    }
    const after = lifetimeDue(life, rules, at);
    expect(after.step).toBeUndefined();
  }
  return log;
}

const passing = fc.array(
  fc.record({
    hours: fc.oneof(fc.integer({ min: 1, max: 48 }), fc.integer({ min: 49, max: 4_000 })),
    renew: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  }),
  { maxLength: 60 },
);

test('however time passes, the end keeps its distance from renewal and last warning, and the deletion from the end', () => {
  fc.assert(
    fc.property(policies, passing, (rules, times) => {
      const last: Record<string, number> = {};
      let previous = '';
      for (const { kind, at } of live(rules, times)) {
        const since = (other: string): number => at - (last[other] ?? -Infinity);
        const anew = last['renew'] ?? -Infinity;
        if (kind === 'warn') {
          expect(since('renew')).toBeGreaterThanOrEqual(
            durationMs(rules.lifetime) - durationMs(rules.warnings[0] ?? 'PT0S'),
          );
          expect(last['expire'] ?? -Infinity).toBeLessThan(anew);
        }
        if (kind === 'expire') {
          expect(since('renew')).toBeGreaterThanOrEqual(durationMs(rules.lifetime));
          const shortest = rules.warnings.at(-1);
          if (shortest !== undefined) {
            expect(last['warn']).toBeGreaterThan(anew);
            expect(since('warn')).toBeGreaterThanOrEqual(durationMs(shortest));
          }
        }
        if (kind === 'delete' || kind === 'keep') {
          expect(kind).toBe(rules.afterwards);
          expect(last['expire']).toBeGreaterThan(anew);
          expect(since('expire')).toBeGreaterThanOrEqual(durationMs(rules.grace));
          expect(since('renew')).toBeGreaterThanOrEqual(durationMs(rules.lifetime) + durationMs(rules.grace));
        }
        expect(previous).not.toBe('delete');
        previous = kind;
        last[kind] = at;
      }
    }),
    { numRuns: 200 },
  );
});

test('woken just when the state says, a group gets each warning once and on time, and ends on time', () => {
  fc.assert(
    fc.property(policies, (rules) => {
      let life = bornAt(born);
      const warnings: number[] = [];
      let ended: number | undefined;
      for (let wakes = 0; ended === undefined && wakes < 20; wakes += 1) {
        const { at } = lifetimeDue(life, rules, new Date(life.warnedAt ?? life.from));
        const now = at!;
        const { step } = lifetimeDue(life, rules, now);
        if (step?.kind === 'warn') {
          warnings.push(now.getTime() - born.getTime());
          life = lifetimeWarned(life, step.expiresAt, now);
        } else {
          expect(step).toEqual({ kind: 'expire' });
          ended = now.getTime() - born.getTime();
        }
      }
      const lifetime = durationMs(rules.lifetime);
      expect(ended).toBe(lifetime);
      expect(warnings).toEqual(rules.warnings.map((before) => lifetime - durationMs(before)));
    }),
  );
});

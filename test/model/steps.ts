import fc from 'fast-check';

import { PEOPLE, POLICIES } from './cast';

/** One thing that somebody does. Requests are named by their place in the order of filing, counted from the last one. */
export type Act =
  | { kind: 'file'; group: number; person: number; duration: string | undefined; bySystem: boolean }
  | { kind: 'decide'; request: number; by: number; choice: 'approve' | 'deny'; duration: string | undefined }
  | { kind: 'withdraw' | 'nudge' | 'extend' | 'leave' | 'lapse' | 'cancel'; request: number }
  | { kind: 'revoke'; request: number; by: number }
  | { kind: 'policy'; group: number; policy: number }
  | OutsideAct;

/** What happens past Gatehouse, in the directory. */
export type OutsideAct =
  | { kind: 'owner'; group: number; person: number; is: boolean }
  | { kind: 'enabled'; person: number; is: boolean }
  | { kind: 'dynamic'; group: number; is: boolean }
  | { kind: 'member'; group: number; person: number; is: boolean };

/** Acts that go on together, at some moment, in an order that the seed chooses; the host may be killed in between. */
export interface Step {
  acts: Act[];
  /** First so much time passes; or all but the last moment until something comes due, so that the acts meet it. */
  pass: number | 'to-next';
  kill?: { after: number; downMs: number; meanwhile: OutsideAct[]; again: boolean };
  /** Events and activities are delivered twice, and filings are sent twice. */
  twice: boolean;
  seed: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const group = fc.constantFrom(0, 1);
const requester = fc.constantFrom(0, 1, 2);
const anyone = fc.nat(PEOPLE.length - 1);
/** Mostly the last ones, which are still open. */
const request = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0, 1) }, { weight: 1, arbitrary: fc.nat(5) });

const outside = fc.oneof(
  fc.record({ kind: fc.constant('owner' as const), group, person: fc.constantFrom(2, 3, 4, 5), is: fc.boolean() }),
  fc.record({ kind: fc.constant('enabled' as const), person: anyone, is: fc.boolean() }),
  // it comes back more often than it goes
  fc.record({ kind: fc.constant('dynamic' as const), group, is: fc.constantFrom(true, false, false) }),
  fc.record({ kind: fc.constant('member' as const), group, person: requester, is: fc.constantFrom(true, true, false) }),
);

const file = fc.record({
  kind: fc.constant('file' as const),
  group,
  person: requester,
  duration: fc.constantFrom(undefined, 'P1D', 'P4D'),
  bySystem: fc.boolean(),
});
const decide = fc.record({
  kind: fc.constant('decide' as const),
  request,
  by: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(3, 4, 5) }, { weight: 1, arbitrary: anyone }),
  choice: fc.constantFrom('approve' as const, 'approve' as const, 'approve' as const, 'deny' as const),
  duration: fc.constantFrom(undefined, undefined, 'PT12H'),
});
const simple = fc.record({
  kind: fc.constantFrom(
    'withdraw' as const,
    'nudge' as const,
    'extend' as const,
    'extend' as const,
    'leave' as const,
    'lapse' as const,
    'cancel' as const,
  ),
  request,
});
const revoke = fc.record({ kind: fc.constant('revoke' as const), request, by: fc.constantFrom(3, 4, 5) });
const policy = fc.record({ kind: fc.constant('policy' as const), group, policy: fc.nat(POLICIES.length - 1) });

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 7, arbitrary: file },
  { weight: 9, arbitrary: decide },
  { weight: 4, arbitrary: simple },
  { weight: 1, arbitrary: revoke },
  { weight: 1, arbitrary: policy },
  { weight: 4, arbitrary: outside },
);

const pass = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.constant('to-next' as const) },
  { weight: 2, arbitrary: fc.constantFrom(MINUTE, 5 * MINUTE, HOUR, 11 * HOUR, DAY, 2 * DAY, 5 * DAY) },
);

const kill = fc.record({
  after: fc.nat(60),
  downMs: fc.constantFrom(0, 1_000, 30_000, 10 * MINUTE),
  meanwhile: fc.array(outside, { maxLength: 3 }),
  again: fc.boolean(),
});

export const step: fc.Arbitrary<Step> = fc
  .record({
    acts: fc.oneof(
      { weight: 3, arbitrary: fc.array(act, { minLength: 1, maxLength: 1 }) },
      { weight: 2, arbitrary: fc.array(act, { minLength: 2, maxLength: 4 }) },
    ),
    pass,
    kill: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: kill }),
    twice: fc.constantFrom(false, false, false, true),
    seed: fc.nat(),
  })
  .map(({ kill: killed, ...rest }) => ({ ...rest, ...(killed !== undefined && { kill: killed }) }));

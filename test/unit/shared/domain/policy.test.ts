import fc from 'fast-check';

import { addDuration, parseDuration } from '../../../../shared/domain/duration';
import { policySchema } from '../../../../shared/domain/policy';

test.each([
  ['P14D', 14 * 86_400_000],
  ['P2W', 14 * 86_400_000],
  ['PT30S', 30_000],
  ['P1DT12H', 36 * 3_600_000],
  ['PT0S', 0],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', 'P', 'PT', 'P1M', 'P1Y', '1D', 'P-1D', 'P1.5D', 'P1DT', 'p1d', 'P1W2D', 'P14D '])(
  '%j is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test('adding a duration moves the time by exactly its length', () => {
  fc.assert(
    fc.property(fc.nat(3_000), fc.nat(23), fc.nat(59), (days, hours, seconds) => {
      const at = new Date('2026-03-29T00:30:00Z');
      const moved = addDuration(at, `P${String(days)}DT${String(hours)}H${String(seconds)}S`);
      expect(moved.getTime() - at.getTime()).toBe(days * 86_400_000 + hours * 3_600_000 + seconds * 1_000);
    }),
  );
});

test('an empty policy has every default', () => {
  expect(policySchema.parse({})).toMatchObject({
    optedIn: false,
    guests: false,
    justification: { required: true },
    stages: [{ approvers: [{ kind: 'owners' }], required: 1, deadline: 'P14D' }],
  });
});

test('a policy that contradicts itself is refused with every reason at once', () => {
  const result = policySchema.safeParse({
    stages: [{ deadline: 'P7D', reminders: ['P7D', 'P9D', 'P1D'] }],
    maximumDuration: 'P30D',
    defaultDuration: 'P60D',
  });
  expect(result.error?.issues.map(({ path, message }) => [path.join('/'), message])).toEqual([
    [
      'stages/0/reminders/0',
      'The reminder at P7D would come at or after the deadline P7D. Remove it or set a later deadline.',
    ],
    [
      'stages/0/reminders/1',
      'The reminder at P9D would come at or after the deadline P7D. Remove it or set a later deadline.',
    ],
    ['defaultDuration', 'The default duration P60D is longer than the maximum P30D.'],
  ]);
});

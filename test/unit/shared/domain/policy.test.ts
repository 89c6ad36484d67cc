import fc from 'fast-check';

import { addDuration, parseDuration } from '../../../../shared/domain/duration';
import { suffices } from '../../../../shared/domain/approvers';
import { keptPolicySchema, namedIn, policySchema, shorter } from '../../../../shared/domain/policy';

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
    whoMayAsk: { guests: false },
    justification: { required: true },
    stages: [{ parties: [{ approvers: [{ kind: 'owners' }], required: 1 }], deadline: 'P14D', denial: 'ends' }],
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

test('errors of form and contradictions are told at once: whoever mends the one is not sent back for the other', () => {
  const result = policySchema.safeParse({
    optIn: true,
    ownersJoinWithoutAsking: 'yes',
    stages: [{ deadline: 'P7D', reminders: ['P9D'], denial: 'perhaps', retries: 3 }, { approvers: 7 }],
    warnings: ['P1D', 'PT24H', 'soon'],
    maximumDuration: 'P30D',
    defaultDuration: 'P60D',
  });
  expect(result.error?.issues.map(({ path }) => path.join('/')).toSorted()).toEqual([
    '',
    'defaultDuration',
    'ownersJoinWithoutAsking',
    'stages/0',
    'stages/0/denial',
    'stages/0/reminders/0',
    'stages/1/approvers',
    'warnings/2',
  ]);
});

test.each([
  ['stages that are none', { stages: 'two', fallbackApprovers: [{ kind: 'owners' }] }, ['stages']],
  [
    'a stage that is none',
    { stages: [7], defaultDuration: 'P2D', maximumDuration: 'P1D' },
    ['defaultDuration', 'stages/0'],
  ],
  [
    'fallback approvers that are none',
    { stages: [{ escalateAfter: 'P20D' }], fallbackApprovers: 3 },
    ['fallbackApprovers', 'stages/0/escalateAfter'],
  ],
  [
    'durations that are none',
    { stages: [{ deadline: 5, reminders: [1] }], defaultDuration: 1, maximumDuration: [] },
    ['defaultDuration', 'maximumDuration', 'stages/0/deadline', 'stages/0/reminders/0'],
  ],
  ['no policy at all', 'everyone', ['']],
  ['nothing', null, ['']],
])('%s: told as such, and nothing is held against it that it may not mean', (_what, given, paths) => {
  const issues = policySchema.safeParse(given).error?.issues ?? [];
  expect(issues.map(({ path }) => path.join('/')).toSorted()).toEqual(paths);
});

test('a policy that is kept stays readable, though it would not be taken any more', () => {
  const parties = [{ approvers: [{ kind: 'manager' }] }, { approvers: [{ kind: 'manager' }] }];
  expect(policySchema.safeParse({ stages: [{ parties }] }).success).toBe(false);
  expect(keptPolicySchema.parse({ stages: [{ parties }] }).stages).toHaveLength(1);
});

test('a reminder or a warning that is named twice is refused, however it is written', () => {
  const result = policySchema.safeParse({ stages: [{ reminders: ['P1D', 'P7D', 'PT24H'] }], warnings: ['P7D', 'P1W'] });
  expect(result.error?.issues.map(({ path, message }) => [path.join('/'), message])).toEqual([
    ['stages/0/reminders/2', 'The reminder at PT24H is there already. Name it once.'],
    ['warnings/1', 'The warning at P1W is there already. Name it once.'],
  ]);
});

test('a policy as it is kept is a policy again, the same', () => {
  const once = policySchema.parse({
    stages: [{ required: 2 }, { parties: [{}, { approvers: [{ kind: 'manager' }] }] }],
  });
  expect(policySchema.parse(JSON.parse(JSON.stringify(once)))).toEqual(once);
});

const person = (n: number): string => `a0000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

test.each([
  [
    'an escalation at the deadline',
    { stages: [{ deadline: 'P7D', reminders: [], escalateAfter: 'P7D' }], fallbackApprovers: [{ kind: 'manager' }] },
    'stages/0/escalateAfter',
    'Escalate earlier or set a later deadline.',
  ],
  [
    'an escalation to nobody',
    { stages: [{ escalateAfter: 'P5D' }] },
    'stages/0/escalateAfter',
    'Name fallbackApprovers, or remove escalateAfter.',
  ],
  [
    'more approvals than people',
    { stages: [{ approvers: [{ kind: 'people', ids: [person(1), person(2)] }], required: 3 }] },
    'stages/0/parties/0/required',
    '3 must approve, but only 2 could. Ask for fewer, or name more people.',
  ],
  [
    'parties that need the same person twice',
    {
      stages: [
        {
          parties: [
            { approvers: [{ kind: 'people', ids: [person(1)] }] },
            { approvers: [{ kind: 'people', ids: [person(1), person(2)] }], required: 2 },
          ],
        },
      ],
    },
    'stages/0/parties',
    'Together the parties need 3 different people',
  ],
  [
    'a fallback to the stage itself',
    { fallbackApprovers: [{ kind: 'owners' }] },
    'fallbackApprovers',
    'Name others, or none.',
  ],
  [
    'a fallback to people of the stage, written otherwise',
    {
      stages: [
        {
          approvers: [
            { kind: 'people', ids: [person(1), person(2)] },
            { kind: 'people', ids: [person(3)] },
          ],
        },
      ],
      fallbackApprovers: [{ kind: 'people', ids: [person(3), person(1)] }],
    },
    'fallbackApprovers',
    'Name others, or none.',
  ],
  [
    'the same people twice, in another order',
    {
      stages: [
        {
          approvers: [
            { kind: 'people', ids: [person(1), person(2)] },
            { kind: 'people', ids: [person(2), person(1)] },
          ],
        },
      ],
    },
    'stages/0/parties/0/approvers',
    'Name them once.',
  ],
  [
    'the same approvers twice',
    { stages: [{ approvers: [{ kind: 'owners' }, { kind: 'owners' }] }] },
    'stages/0/parties/0/approvers',
    'Name them once.',
  ],
  [
    'a least length of a reason that nobody must give',
    { justification: { required: false, minimumLength: 20 } },
    'justification/minimumLength',
    'Require it, or drop the length.',
  ],
  [
    'the same group twice',
    { whoMayAsk: { membersOf: [person(1), person(1)] } },
    'whoMayAsk/membersOf',
    'Name it once.',
  ],
])('%s is refused with the sentence that mends it', (_what, policy, path, sentence) => {
  const issues = policySchema.safeParse(policy).error?.issues ?? [];
  expect(issues.map((issue) => issue.path.join('/'))).toEqual([path]);
  expect(issues[0]?.message).toContain(sentence);
});

test('a fallback that names one person more than the stage is taken', () => {
  const policy = {
    stages: [{ approvers: [{ kind: 'people', ids: [person(1), person(2)] }] }],
    fallbackApprovers: [{ kind: 'people', ids: [person(2), person(3)] }],
  };
  expect(policySchema.safeParse(policy).success).toBe(true);
});

test('an unlikely way to write a stage says what is wrong with it', () => {
  const result = policySchema.safeParse({ stages: [{ approvers: [], parties: [] }] });
  expect(result.success).toBe(false);
});

test('the ids in a policy are found where they stand', () => {
  const policy = policySchema.parse({
    stages: [
      {
        approvers: [
          { kind: 'people', ids: [person(1)] },
          { kind: 'groupMembers', groupId: person(2) },
        ],
      },
    ],
    fallbackApprovers: [{ kind: 'groupMembers', groupId: person(3) }],
    whoMayAsk: { membersOf: [person(4)] },
  });
  expect(namedIn(policy)).toEqual([
    { kind: 'person', id: person(1), pointer: '/stages/0/parties/0/approvers/0/ids/0' },
    { kind: 'group', id: person(2), pointer: '/stages/0/parties/0/approvers/1/groupId' },
    { kind: 'group', id: person(3), pointer: '/fallbackApprovers/0/groupId' },
    { kind: 'group', id: person(4), pointer: '/whoMayAsk/membersOf/0' },
  ]);
});

test('of two lengths the shorter one; no length is without end', () => {
  expect([
    shorter('P1D', 'PT23H'),
    shorter(undefined, 'P1D'),
    shorter('P1D', undefined),
    shorter(undefined, undefined),
  ]).toEqual(['PT23H', 'P1D', 'P1D', undefined]);
});

describe('who suffices', () => {
  const approver = (id: string) => ({ id, displayName: id, mail: `${id}@contoso.example` });
  const ids = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 5 });
  const parties = fc.array(fc.record({ required: fc.integer({ min: 1, max: 2 }), approvers: ids }), {
    minLength: 1,
    maxLength: 3,
  });
  /** Tries every way to give each person to one party. */
  const byHand = (all: { required: number; approvers: string[] }[], people: string[]): boolean => {
    const [first, ...rest] = people;
    if (first === undefined) return all.every(({ required }) => required <= 0);
    return (
      byHand(all, rest) ||
      all.some(
        (one, n) =>
          one.approvers.includes(first) &&
          byHand(
            all.map((other, m) => (m === n ? { ...other, required: other.required - 1 } : other)),
            rest,
          ),
      )
    );
  };
  test('is the same as trying every way', () => {
    fc.assert(
      fc.property(parties, ids, (all, people) => {
        const found = suffices(
          all.map(({ required, approvers }) => ({ required, approvers: approvers.map(approver) })),
          new Set(people),
        );
        expect(found).toBe(byHand(all, people));
      }),
    );
  });
});

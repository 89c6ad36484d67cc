import fc from 'fast-check';

import { refuseGroupKind } from '../../../../shared/domain/eligibility';
import type { Group } from '../../../../shared/domain/eligibility';
import {
  addToTotals,
  exitCriteria,
  groupSituation,
  kindOf,
  NO_TOTALS,
  ownersAnnouncement,
} from '../../../../shared/domain/self-service-report';
import type { GroupFacts, ReportTotals } from '../../../../shared/domain/self-service-report';

const security: Group = {
  id: '00000000-0000-4000-8000-000000000001',
  displayName: 'Team Blue',
  description: null,
  mailEnabled: false,
  securityEnabled: true,
  groupTypes: [],
  onPremisesSyncEnabled: false,
  isAssignableToRole: false,
  isManagementRestricted: false,
  hiddenMembership: false,
};

const facts = (group: Partial<Group> = {}, change: Partial<Omit<GroupFacts, 'group'>> = {}): GroupFacts => ({
  group: { ...security, ...group },
  isCloudManaged: false,
  isProtected: false,
  owners: 2,
  usableOwners: 2,
  members: 5,
  selfService: 'opted-in',
  policy: 'group@1',
  ownersTold: true,
  ...change,
});

const unified = { mailEnabled: true, securityEnabled: false, groupTypes: ['Unified'] };

test.each([
  [{}, 'security'],
  [unified, 'microsoft365'],
  [{ ...unified, securityEnabled: true }, 'microsoft365'],
  [{ mailEnabled: true }, 'mail-enabled-security'],
  [{ mailEnabled: true, securityEnabled: false }, 'distribution-list'],
  [{ securityEnabled: false }, 'other'],
])('a group with %j is of the kind %s', (group, kind) => {
  expect(kindOf({ ...security, ...group })).toBe(kind);
});

test.each([{}, unified, { groupTypes: ['Unified'], mailEnabled: true }])(
  'owners manage a group with %j that is opted in and has an owner who can decide',
  (group) => {
    expect(groupSituation(facts(group))).toMatchObject({
      standing: 'self-service',
      ownersManage: true,
      rule: null,
      reason: null,
      change: null,
    });
  },
);

test.each([
  [{ mailEnabled: true }, 'group-is-mail-enabled-security'],
  [{ mailEnabled: true, securityEnabled: false }, 'group-is-distribution-list'],
  [{ onPremisesSyncEnabled: true }, 'group-is-synchronised'],
  [{ groupTypes: ['DynamicMembership'] }, 'group-is-dynamic'],
  [{ ...unified, groupTypes: ['Unified', 'DynamicMembership'] }, 'group-is-dynamic'],
  [{ isAssignableToRole: true }, 'group-is-role-assignable'],
  [{ isManagementRestricted: true }, 'group-is-management-restricted'],
  [{ securityEnabled: false }, 'group-kind-unsupported'],
])('a group with %j can’t be self-service: %s, and the report says what would change it', (group, rule) => {
  const situation = groupSituation(facts(group));
  expect(situation).toMatchObject({ standing: 'impossible', ownersManage: false, rule });
  expect(situation.reason).toBe(refuseGroupKind({ ...security, ...group }, false)?.sentence);
  expect(situation.change).toMatch(/^[A-Z].+\.$/);
});

test('a protected group can’t be self-service', () => {
  expect(groupSituation(facts({}, { isProtected: true }))).toMatchObject({
    standing: 'impossible',
    rule: 'group-is-protected',
    change: expect.stringContaining('PROTECTED_GROUPS') as string,
  });
});

test('a synchronised group that the cloud manages can be', () => {
  const synchronised = { onPremisesSyncEnabled: true };
  expect(groupSituation(facts(synchronised))).toMatchObject({ source: 'on-premises', ownersManage: false });
  expect(groupSituation(facts(synchronised, { isCloudManaged: true }))).toMatchObject({
    source: 'cloud',
    ownersManage: true,
  });
});

test.each([
  [{ selfService: 'undecided' as const }, 'possible', 'undecided'],
  [{ selfService: 'opted-out' as const }, 'possible', 'opted-out'],
  [{ selfService: 'opted-out' as const, usableOwners: 0 }, 'possible', 'opted-out'],
  [{ selfService: 'undecided' as const, usableOwners: 0 }, 'possible', 'no-usable-owner'],
  [{ usableOwners: 0 }, 'no-owner', 'no-usable-owner'],
])('with %j it stands at %s because of %s', (change, standing, rule) => {
  expect(groupSituation(facts({}, change))).toMatchObject({ standing, ownersManage: false, rule });
});

const totalsOf = (...all: GroupFacts[]): ReportTotals =>
  all.reduce((totals, each) => addToTotals(totals, groupSituation(each)), NO_TOTALS);

const met = (totals: ReportTotals, isComplete = true): string[] =>
  exitCriteria(totals, isComplete, 'default@1')
    .filter((criterion) => criterion.met)
    .map(({ id }) => id);

test('the step is done where every group is decided, has an owner, is set up, and its owners are told', () => {
  const totals = totalsOf(facts(), facts(unified), facts({ mailEnabled: true }, { selfService: 'undecided' }));
  expect(met(totals)).toEqual(['groups-identified', 'owners-present', 'policy-set', 'owners-told']);
  expect(exitCriteria(totals, true, 'default@1')[0]).toMatchObject({
    evidence:
      'Of 3 groups (1 security, 1 Microsoft 365, 1 mail-enabled security), 2 can be self-service by their kind and 1 can’t. 0 of those that can are undecided.',
    next: null,
  });
});

test.each([
  ['groups-identified', { selfService: 'undecided' as const }, {}],
  ['owners-present', { usableOwners: 0 }, {}],
  ['policy-set', {}, { mailEnabled: true }],
  ['owners-told', { ownersTold: false }, {}],
])('one group keeps %s from being met, is named as evidence, and there is a next thing to do', (id, change, group) => {
  const totals = totalsOf(facts(), facts({ displayName: 'Odd one', ...group }, change));
  const open = exitCriteria(totals, true, 'default@1').filter((criterion) => !criterion.met);
  expect(open.map((criterion) => criterion.id)).toEqual([id]);
  expect(open[0]?.evidence).toContain('“Odd one”');
  expect(open[0]?.next).toMatch(/\.$/);
});

test('nothing is met before every group was read', () => {
  const criteria = exitCriteria(totalsOf(facts()), false, 'default@1');
  expect(criteria.every((criterion) => !criterion.met && criterion.next !== null)).toBe(true);
  expect(criteria[0]?.evidence).toMatch(/not complete yet\.$/);
});

test('an empty tenant has not set up self-service', () => {
  expect(met(NO_TOTALS)).toEqual(['groups-identified']);
});

test('sums add up whatever the groups, and stay small', () => {
  const group = fc.record({
    mailEnabled: fc.boolean(),
    securityEnabled: fc.boolean(),
    groupTypes: fc.subarray(['Unified', 'DynamicMembership']),
    onPremisesSyncEnabled: fc.boolean(),
    isAssignableToRole: fc.boolean(),
    isManagementRestricted: fc.boolean(),
  });
  const change = fc.record({
    isCloudManaged: fc.boolean(),
    usableOwners: fc.nat(2),
    selfService: fc.constantFrom('opted-in' as const, 'opted-out' as const, 'undecided' as const),
    ownersTold: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(group, change), { maxLength: 30 }), (all) => {
      const list = all.map(([one, other]) => facts(one, other));
      const totals = totalsOf(...list);
      const sum = (counts: Partial<Record<string, number>>): number =>
        Object.values(counts).reduce<number>((a, b) => a + (b ?? 0), 0);
      expect(totals.groups).toBe(list.length);
      expect(sum(totals.byKind)).toBe(list.length);
      expect(sum(totals.byStanding)).toBe(list.length);
      expect(sum(totals.byRule)).toBe(list.length - totals.byStanding['self-service']);
      for (const examples of Object.values(totals.examples)) expect(examples.length).toBeLessThanOrEqual(10);
      expect(JSON.parse(JSON.stringify(totals))).toEqual(totals);
      for (const each of list) {
        const { ownersManage, rule, reason, change: what } = groupSituation(each);
        const refused = refuseGroupKind(each.group, each.isCloudManaged) !== undefined;
        expect(ownersManage).toBe(!refused && each.selfService === 'opted-in' && each.usableOwners > 0);
        expect([rule === null, reason === null, what === null]).toEqual([ownersManage, ownersManage, ownersManage]);
      }
    }),
  );
});

test('more groups than are shown are counted as evidence', () => {
  const undecided = Array.from({ length: 1_234 }, (_, n) =>
    facts({ displayName: `G${String(n)}` }, { selfService: 'undecided' }),
  );
  expect(exitCriteria(totalsOf(...undecided), true, 'default@1')[0]?.evidence).toContain('“G9” and 1,224 more');
});

test('how many groups have a policy of their own, and what holds for the others, is evidence', () => {
  const totals = totalsOf(facts(), facts(), facts({}, { policy: 'default@4', selfService: 'undecided' }));
  expect(exitCriteria(totals, true, 'default@4')[2]?.evidence).toBe(
    '2 groups opted in; 2 of all have a policy of their own, the others are under default@4. 0 of those opted in can’t be self-service by their kind.',
  );
});

test('the announcement says what holds in this tenant, and names the place where owners see their groups', () => {
  const link = 'https://gatehouse.example/groups';
  const { text } = ownersAnnouncement(link, { groups: 1_234, deadline: 'P14D', maximumDuration: 'PT36H' });
  expect(text).toContain(link);
  expect(text).toContain('1,234 groups work this way');
  expect(text).toContain('14 days unless');
  expect(text).toContain('at most 36 hours');
  expect(ownersAnnouncement(link, { groups: 1, deadline: 'PT90S' }).text).toContain('90 seconds unless');
  expect(ownersAnnouncement(link, { groups: 1, deadline: 'P1D' }).text).not.toContain('at most');
});

import { eligibleApprovers } from '../../../../shared/domain/approvers';
import { refuseGroupKind, refuseRequester } from '../../../../shared/domain/eligibility';
import type { Group, Person } from '../../../../shared/domain/eligibility';

const security: Group = {
  id: 'g',
  displayName: 'G',
  description: null,
  mailEnabled: false,
  securityEnabled: true,
  groupTypes: [],
  onPremisesSyncEnabled: false,
  isAssignableToRole: false,
  isManagementRestricted: false,
  hiddenMembership: false,
};
const person = (id: string, more: Partial<Person> = {}): Person => ({
  id,
  displayName: id,
  userPrincipalName: `${id}@contoso.example`,
  mail: `${id}@contoso.example`,
  accountEnabled: true,
  isGuest: false,
  jobTitle: null,
  department: null,
  ...more,
});

test.each([
  ['a security group', {}, undefined],
  [
    'a Microsoft 365 group, which is mail-enabled',
    { mailEnabled: true, securityEnabled: false, groupTypes: ['Unified'] },
    undefined,
  ],
  ['a mail-enabled security group', { mailEnabled: true }, 'group-is-mail-enabled-security'],
  ['a distribution list', { mailEnabled: true, securityEnabled: false }, 'group-is-distribution-list'],
  ['a group synchronised from on-premises', { onPremisesSyncEnabled: true }, 'group-is-synchronised'],
  ['a dynamic security group', { groupTypes: ['DynamicMembership'] }, 'group-is-dynamic'],
  [
    'a dynamic Microsoft 365 group',
    { mailEnabled: true, groupTypes: ['Unified', 'DynamicMembership'] },
    'group-is-dynamic',
  ],
  ['a role-assignable group', { isAssignableToRole: true }, 'group-is-role-assignable'],
  ['a group in a restricted administrative unit', { isManagementRestricted: true }, 'group-is-management-restricted'],
  ['a group that is neither', { securityEnabled: false }, 'group-kind-unsupported'],
])('%s is judged by its kind', (_name, properties, rule) => {
  expect(refuseGroupKind({ ...security, ...properties }, false)?.rule).toBe(rule);
});

test('a synchronised group that the cloud manages can be joined', () => {
  expect(refuseGroupKind({ ...security, onPremisesSyncEnabled: true }, true)).toBeUndefined();
});

test('disabled people and, unless the policy lets them, guests are refused', () => {
  expect(refuseRequester(person('a'), { guests: false })).toBeUndefined();
  expect(refuseRequester(person('a', { accountEnabled: false }), { guests: true })?.rule).toBe('requester-disabled');
  expect(refuseRequester(person('a', { isGuest: true }), { guests: false })?.rule).toBe('requester-is-guest');
  expect(refuseRequester(person('a', { isGuest: true }), { guests: true })).toBeUndefined();
});

test('nobody decides who is the requester, is disabled, is a guest or has no mailbox; each person counts once', () => {
  const candidates = [
    person('owner'),
    person('owner'),
    person('requester'),
    person('disabled', { accountEnabled: false }),
    person('guest', { isGuest: true }),
    person('mailless', { mail: null }),
  ];
  expect(eligibleApprovers(candidates, 'requester').map(({ id }) => id)).toEqual(['owner']);
});

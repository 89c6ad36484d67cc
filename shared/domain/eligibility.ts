/** What the rules need to know of a group; the directory adapter fills it from Microsoft Graph. */
export interface Group {
  id: string;
  displayName: string;
  description: string | null;
  mailEnabled: boolean;
  securityEnabled: boolean;
  groupTypes: readonly string[];
  onPremisesSyncEnabled: boolean;
  isAssignableToRole: boolean;
  isManagementRestricted: boolean;
  hiddenMembership: boolean;
}

/** What the rules need to know of a person. */
export interface Person {
  id: string;
  displayName: string;
  userPrincipalName: string;
  /** Null where the person has no mailbox. */
  mail: string | null;
  accountEnabled: boolean;
  isGuest: boolean;
  jobTitle: string | null;
  department: string | null;
}

/** Whether the person is there and can be sent mail. */
export const hasMailbox = (person: Person | undefined): person is Person & { mail: string } =>
  person !== undefined && person.mail !== null;

/** A rule that keeps a request from being filed or applied. `rule` names it for machines (and ends the problem's `type`). */
export interface Refusal {
  rule: RefusalRule;
  /** One sentence saying which rule, and what to do instead. */
  sentence: string;
}

export type RefusalRule =
  | 'group-not-found'
  | 'group-is-distribution-list'
  | 'group-is-mail-enabled-security'
  | 'group-is-synchronised'
  | 'group-is-dynamic'
  | 'group-is-role-assignable'
  | 'group-is-management-restricted'
  | 'group-kind-unsupported'
  | 'group-is-protected'
  | 'group-not-self-service'
  | 'group-has-expired'
  | 'requester-not-found'
  | 'requester-disabled'
  | 'requester-is-guest'
  | 'requester-not-eligible'
  | 'open-already'
  | 'membership-ended'
  | 'already-member'
  | 'denied-recently'
  | 'no-approvers'
  | 'too-few-approvers'
  | 'operations';

const refuse = (rule: RefusalRule, sentence: string): Refusal => ({ rule, sentence });

const isMicrosoft365 = (group: Group): boolean => group.groupTypes.includes('Unified');

/**
 * Whether the kind of the group lets its membership be self-service at all. Microsoft 365 groups are mail-enabled and allowed;
 * every other mail-enabled group is read-only in Microsoft Graph (Microsoft 365 Enterprise, step 14; Graph `group` resource).
 * `isCloudManaged` matters for synchronised groups only: the cloud has taken over the management of the group.
 */
export function refuseGroupKind(group: Group, isCloudManaged: boolean): Refusal | undefined {
  if (group.mailEnabled && !isMicrosoft365(group)) {
    return group.securityEnabled
      ? refuse(
          'group-is-mail-enabled-security',
          'This is a mail-enabled security group. Its members are managed in the Exchange admin center.',
        )
      : refuse(
          'group-is-distribution-list',
          'This is a distribution list. Its members are managed in the Exchange admin center or in Outlook.',
        );
  }
  if (group.onPremisesSyncEnabled && !isCloudManaged) {
    return refuse(
      'group-is-synchronised',
      'This group is synchronised from on-premises Active Directory. Change its members there.',
    );
  }
  if (group.groupTypes.includes('DynamicMembership')) {
    return refuse(
      'group-is-dynamic',
      'Members of this group follow a rule. Ask its owner to change the rule, or the attributes that it reads.',
    );
  }
  if (group.isAssignableToRole) {
    return refuse(
      'group-is-role-assignable',
      'This group can hold directory roles. Ask a Privileged Role Administrator.',
    );
  }
  if (group.isManagementRestricted) {
    return refuse(
      'group-is-management-restricted',
      'This group is in a restricted administrative unit. Ask an administrator of that unit.',
    );
  }
  if (!group.securityEnabled && !isMicrosoft365(group)) {
    return refuse('group-kind-unsupported', 'Only security groups and Microsoft 365 groups can be joined here.');
  }
  return undefined;
}

/** Whether the group is on the list of those that nobody joins through Gatehouse: by object id, or by display name with `*`. */
export function isProtected({ id, displayName }: Pick<Group, 'id' | 'displayName'>, list: readonly string[]): boolean {
  return list.some((entry) => {
    if (entry.toLowerCase() === id) return true;
    const parts = entry.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`, 'isu').test(displayName);
  });
}

/** Whether the person can hold a membership through Gatehouse, apart from being a member already. */
export function refuseRequester(person: Person, rules: { guests: boolean }): Refusal | undefined {
  if (!person.accountEnabled) {
    return refuse(
      'requester-disabled',
      'The account of this person is disabled. Ask for access again once it is enabled.',
    );
  }
  if (person.isGuest && !rules.guests) {
    return refuse(
      'requester-is-guest',
      'Guests can’t ask to join this group. Ask its owner to change the policy or to add the guest directly.',
    );
  }
  return undefined;
}

export const refusals = {
  groupNotFound: refuse(
    'group-not-found',
    'There is no such group. Check the id: it is the object id of the group in Microsoft Entra ID.',
  ),
  groupProtected: refuse(
    'group-is-protected',
    'This group is protected: its members can’t be changed here, whatever its policy says. Ask an administrator.',
  ),
  groupNotSelfService: refuse(
    'group-not-self-service',
    'This group is not open to self-service. Ask an administrator to opt it in, or its owner to add you.',
  ),
  groupHasExpired: refuse(
    'group-has-expired',
    'This group has expired: nobody renewed it in time, and it takes no new members until an owner does. Ask one of its owners to renew it.',
  ),
  requesterNotFound: refuse(
    'requester-not-found',
    'There is no such person. Give the object id or the user principal name as it stands in Microsoft Entra ID.',
  ),
  membershipEnded: refuse(
    'membership-ended',
    'The membership that this request asks to go on with was ended before its time. Ask to join again.',
  ),
  openAlready: refuse('open-already', 'This person has an open request for this group already. It is decided first.'),
  alreadyMember: refuse(
    'already-member',
    'This person is already a member of the group, directly or through another group. There is nothing to ask for.',
  ),
  noApprovers: refuse(
    'no-approvers',
    'Nobody can decide this request: of those whom the policy of the group names nobody is an enabled person with a mailbox that mail reaches, besides the requester, and no fallback approver steps in. Ask an administrator to add an owner.',
  ),
  tooFewApprovers: refuse(
    'too-few-approvers',
    'More people must approve than can: the group has too few enabled owners with a mailbox besides the requester, and too few fallback approvers. Ask an administrator to add an owner, or to change the policy.',
  ),
  requesterNotEligible: refuse(
    'requester-not-eligible',
    'Only members of certain groups may ask to join this group, and this person is in none of them. Ask an owner of the group.',
  ),
  deniedRecently: (until: string): Refusal =>
    refuse(
      'denied-recently',
      `A request of this person for this group was denied a short while ago. Ask again after ${until}.`,
    ),
} as const satisfies Record<string, Refusal | ((...given: string[]) => Refusal)>;

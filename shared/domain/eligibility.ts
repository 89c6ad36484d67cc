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
  | 'group-not-self-service'
  | 'requester-not-found'
  | 'requester-disabled'
  | 'requester-is-guest'
  | 'already-member'
  | 'no-approvers';

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
  groupNotSelfService: refuse(
    'group-not-self-service',
    'This group is not open to self-service. Ask an administrator to opt it in, or its owner to add you.',
  ),
  requesterNotFound: refuse(
    'requester-not-found',
    'There is no such person. Give the object id or the user principal name as it stands in Microsoft Entra ID.',
  ),
  alreadyMember: refuse(
    'already-member',
    'This person is already a member of the group, directly or through another group. There is nothing to ask for.',
  ),
  noApprovers: refuse(
    'no-approvers',
    'Nobody can decide this request: the group has no enabled owner with a mailbox besides the requester, and no fallback approver is configured. Ask an administrator to add an owner.',
  ),
} as const satisfies Record<string, Refusal>;

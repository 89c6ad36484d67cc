import { parseDuration } from './duration';
import { refuseGroupKind, refusals } from './eligibility';
import type { Group, RefusalRule } from './eligibility';

export type GroupKind = 'security' | 'microsoft365' | 'mail-enabled-security' | 'distribution-list' | 'other';

/** What the report needs to know of a group. */
export interface GroupFacts {
  group: Group;
  /** The cloud has taken over the management of a synchronised group. */
  isCloudManaged: boolean;
  /** It is set apart, or a policy names it: whoever is in it decides about others. */
  isProtected: boolean;
  /** All owners that the directory names. */
  owners: number;
  /** Those of them who can decide: people with an enabled account and a mailbox. Service principals are none. */
  usableOwners: number;
  /** Direct members; `null` where they were not counted. */
  members: number | null;
  /** `undecided`: nobody opted the group in or out. */
  selfService: 'opted-in' | 'opted-out' | 'undecided';
  /** Version of the policy in force: `group@3` where the group has its own, else `default@1` or `setting`. */
  policy: string;
  /** The owners were sent the announcement. */
  ownersTold: boolean;
}

/** What stands between a group whose kind allows self-service and its owners deciding. */
export type Gap = 'no-usable-owner' | 'undecided' | 'opted-out';

/**
 * `self-service`: the owners manage the membership. `no-owner`: it is opted in, and nobody could decide. `possible`: the kind allows it,
 * it is not opted in. `impossible`: a rule of the directory says no.
 */
export type Standing = 'self-service' | 'no-owner' | 'possible' | 'impossible';

/** One line of the report. */
export interface GroupSituation {
  id: string;
  displayName: string;
  kind: GroupKind;
  /** Where the group is mastered. */
  source: 'cloud' | 'on-premises';
  owners: number;
  usableOwners: number;
  members: number | null;
  selfService: GroupFacts['selfService'];
  policy: string;
  ownersTold: boolean;
  standing: Standing;
  /** Whether its owners can manage the membership here, as it stands now. */
  ownersManage: boolean;
  /** Which rule says no, where one does: a rule of the directory first, then what is missing. */
  rule: RefusalRule | Gap | null;
  /** What the rule says; `null` where the owners manage. */
  reason: string | null;
  /** What would change it; `null` where the owners manage. */
  change: string | null;
}

/** Of a group by what the directory says of it (https://learn.microsoft.com/graph/api/resources/groups-overview). */
export function kindOf({ groupTypes, mailEnabled, securityEnabled }: Group): GroupKind {
  if (groupTypes.includes('Unified')) return 'microsoft365';
  if (mailEnabled) return securityEnabled ? 'mail-enabled-security' : 'distribution-list';
  return securityEnabled ? 'security' : 'other';
}

/** What would let a group be self-service that its kind keeps from it. */
const CHANGES: Partial<Record<RefusalRule, string>> = {
  'group-is-mail-enabled-security':
    'Create a security group or a Microsoft 365 group with the same members, and let the resources use that one.',
  'group-is-distribution-list': 'Upgrade it to a Microsoft 365 group in the Exchange admin center.',
  'group-is-synchronised':
    'Move its source of authority to the cloud, or create a cloud group and let the resources use that one.',
  'group-is-dynamic': 'Change its membership type from dynamic to assigned.',
  'group-is-role-assignable':
    'That can’t be changed. Put the members into another group that holds no directory roles.',
  'group-is-management-restricted': 'Take it out of the restricted administrative unit, if what it protects allows.',
  'group-is-protected':
    'Take it out of the setting PROTECTED_GROUPS, or out of the policies that name it, if its members shall no longer be kept apart.',
  'group-kind-unsupported': 'Make it a security group: set securityEnabled.',
};

/** What would let a group be self-service that this rule refuses; `null` where nothing would. */
export const changeFor = (rule: RefusalRule): string | null => CHANGES[rule] ?? null;

const GAPS: Record<Gap, { reason: string; change: string }> = {
  'no-usable-owner': {
    reason: 'The group has no owner with an enabled account and a mailbox, so nobody could decide.',
    change: 'Add an owner, better two.',
  },
  undecided: {
    reason: 'Nobody has decided yet whether this group is self-service.',
    change: 'Opt it in, or opt it out.',
  },
  'opted-out': {
    reason: 'An administrator keeps this group out of self-service.',
    change: 'Opt it in, if its owners are to decide.',
  },
};

function gapOf({ selfService, usableOwners }: GroupFacts): Gap | undefined {
  if (selfService === 'opted-out') return 'opted-out';
  if (usableOwners < 1) return 'no-usable-owner';
  return selfService === 'undecided' ? 'undecided' : undefined;
}

/** Where a group stands: whether its owners can manage its membership, which rule says no, and what would change it. */
export function groupSituation(facts: GroupFacts): GroupSituation {
  const { group, isCloudManaged, selfService } = facts;
  const line = {
    id: group.id,
    displayName: group.displayName,
    kind: kindOf(group),
    source: group.onPremisesSyncEnabled && !isCloudManaged ? ('on-premises' as const) : ('cloud' as const),
    owners: facts.owners,
    usableOwners: facts.usableOwners,
    members: facts.members,
    selfService,
    policy: facts.policy,
    ownersTold: facts.ownersTold,
  };
  const refusal = refuseGroupKind(group, isCloudManaged) ?? (facts.isProtected ? refusals.groupProtected : undefined);
  if (refusal !== undefined) {
    const { rule, sentence } = refusal;
    return {
      ...line,
      standing: 'impossible',
      ownersManage: false,
      rule,
      reason: sentence,
      change: changeFor(rule),
    };
  }
  const gap = gapOf(facts);
  if (gap === undefined) {
    return { ...line, standing: 'self-service', ownersManage: true, rule: null, reason: null, change: null };
  }
  const standing = selfService === 'opted-in' ? 'no-owner' : 'possible';
  return { ...line, standing, ownersManage: false, rule: gap, ...GAPS[gap] };
}

/** Names of groups that the checklist shows as examples. */
const EXAMPLES = 10;

/** Sums over the groups that were read so far; plain JSON, so that a report that was broken off goes on from it. */
export interface ReportTotals {
  groups: number;
  byKind: Record<GroupKind, number>;
  byStanding: Record<Standing, number>;
  byRule: Partial<Record<RefusalRule | Gap, number>>;
  optedIn: number;
  /** Groups with a policy of their own. */
  ownPolicy: number;
  /** Opted in though a rule of the directory says no. */
  optedInImpossible: number;
  undecided: number;
  ownersNotTold: number;
  examples: { undecided: string[]; withoutOwner: string[]; impossible: string[]; notTold: string[] };
}

export const NO_TOTALS: ReportTotals = {
  groups: 0,
  byKind: { security: 0, microsoft365: 0, 'mail-enabled-security': 0, 'distribution-list': 0, other: 0 },
  byStanding: { 'self-service': 0, 'no-owner': 0, possible: 0, impossible: 0 },
  byRule: {},
  optedIn: 0,
  ownPolicy: 0,
  optedInImpossible: 0,
  undecided: 0,
  ownersNotTold: 0,
  examples: { undecided: [], withoutOwner: [], impossible: [], notTold: [] },
};

/** The sums with one more group. Its size does not grow with the tenant. */
export function addToTotals(totals: ReportTotals, line: GroupSituation): ReportTotals {
  const { kind, standing, rule, selfService, displayName } = line;
  const optedIn = selfService === 'opted-in';
  const optedInImpossible = optedIn && standing === 'impossible';
  const undecided = selfService === 'undecided' && standing === 'possible';
  const notTold = standing === 'self-service' && !line.ownersTold;
  const example = (names: string[], fits: boolean): string[] =>
    fits && names.length < EXAMPLES ? [...names, displayName] : names;
  return {
    groups: totals.groups + 1,
    byKind: { ...totals.byKind, [kind]: totals.byKind[kind] + 1 },
    byStanding: { ...totals.byStanding, [standing]: totals.byStanding[standing] + 1 },
    byRule: rule === null ? totals.byRule : { ...totals.byRule, [rule]: (totals.byRule[rule] ?? 0) + 1 },
    optedIn: totals.optedIn + Number(optedIn),
    ownPolicy: totals.ownPolicy + Number(line.policy.startsWith('group@')),
    optedInImpossible: totals.optedInImpossible + Number(optedInImpossible),
    undecided: totals.undecided + Number(undecided),
    ownersNotTold: totals.ownersNotTold + Number(notTold),
    examples: {
      undecided: example(totals.examples.undecided, undecided),
      withoutOwner: example(totals.examples.withoutOwner, standing === 'no-owner'),
      impossible: example(totals.examples.impossible, optedInImpossible),
      notTold: example(totals.examples.notTold, notTold),
    },
  };
}

export interface Criterion {
  id: 'groups-identified' | 'owners-present' | 'policy-set' | 'owners-told';
  /** What is asked. */
  title: string;
  met: boolean;
  /** The figures that it is judged by. */
  evidence: string;
  /** What to do; `null` where it is met. */
  next: string | null;
}

const KINDS: Record<GroupKind, string> = {
  security: 'security',
  microsoft365: 'Microsoft 365',
  'mail-enabled-security': 'mail-enabled security',
  'distribution-list': 'distribution lists',
  other: 'of another kind',
};

const number = (count: number): string => count.toLocaleString('en');
const kindsIn = (byKind: ReportTotals['byKind']): string =>
  (Object.keys(KINDS) as GroupKind[])
    .filter((kind) => byKind[kind] > 0)
    .map((kind) => `${number(byKind[kind])} ${KINDS[kind]}`)
    .join(', ');
const ofGroups = (count: number): string => (count === 1 ? '1 group' : `${number(count)} groups`);

function named(count: number, examples: readonly string[]): string {
  if (examples.length === 0) return '';
  const more = count - examples.length;
  return `: ${examples.map((name) => `“${name}”`).join(', ')}${more > 0 ? ` and ${number(more)} more` : ''}`;
}

/**
 * The exit criteria of the step “Allow users to create and manage their own groups” with their evidence: “You've determined which
 * groups are appropriate for self-service management, instructed their owners on group management workflow and responsibilities, and
 * set up self-service management” (Microsoft 365 Enterprise, identity-exit-criteria, crit-identity-self-service-groups). `isComplete`:
 * every group of the tenant was read; before that nothing counts as met. `defaultPolicy`: the version in force for groups that have no
 * policy of their own.
 */
export function exitCriteria(totals: ReportTotals, isComplete: boolean, defaultPolicy: string): Criterion[] {
  const { byKind, byStanding, examples, groups, optedIn, ownPolicy, optedInImpossible, undecided, ownersNotTold } =
    totals;
  const kinds = groups === 0 ? '' : ` (${kindsIn(byKind)})`;
  const allowed = groups - byStanding.impossible;
  const working = byStanding['self-service'];
  const withoutOwner = byStanding['no-owner'];
  const partly = isComplete ? '' : ' The report is not complete yet.';
  const criterion = (id: Criterion['id'], title: string, met: boolean, evidence: string, next: string): Criterion => ({
    id,
    title,
    met: met && isComplete,
    evidence: `${evidence}${partly}`,
    next: met && isComplete ? null : met ? 'Wait until every group has been read.' : next,
  });
  return [
    criterion(
      'groups-identified',
      'It is decided which groups are self-service',
      undecided === 0,
      `Of ${ofGroups(groups)}${kinds}, ${number(allowed)} can be self-service by their kind and ${number(byStanding.impossible)} can’t. ${number(undecided)} of those that can are undecided${named(undecided, examples.undecided)}.`,
      'Opt the undecided groups in or out.',
    ),
    criterion(
      'owners-present',
      'Every self-service group has an owner who can decide',
      working > 0 && withoutOwner === 0,
      `${number(working)} of ${number(working + withoutOwner)} have an owner with an enabled account and a mailbox; ${number(withoutOwner)} have none${named(withoutOwner, examples.withoutOwner)}.`,
      working + withoutOwner === 0 ? 'Opt a group in.' : 'Add an owner to each of these groups.',
    ),
    criterion(
      'policy-set',
      'Self-service is set up for these groups',
      working > 0 && optedInImpossible === 0,
      `${ofGroups(optedIn)} opted in; ${number(ownPolicy)} of all have a policy of their own, the others are under ${defaultPolicy}. ${number(optedInImpossible)} of those opted in can’t be self-service by their kind${named(optedInImpossible, examples.impossible)}.`,
      optedIn === 0 ? 'Opt a group in.' : 'Opt these groups out, or change what keeps them from it.',
    ),
    criterion(
      'owners-told',
      'The owners know the workflow and their responsibilities',
      working > 0 && ownersNotTold === 0,
      `The owners of ${number(working - ownersNotTold)} of ${number(working)} self-service groups were sent the announcement; ${number(ownersNotTold)} were not${named(ownersNotTold, examples.notTold)}.`,
      working === 0 ? 'Opt a group in.' : 'Send the announcement to the owners of these groups.',
    ),
  ];
}

/** What the announcement says of the tenant. */
export interface AnnouncementFacts {
  /** Groups whose owners manage the membership. */
  groups: number;
  /** How long a request waits under the default policy, as an ISO 8601 duration. */
  deadline: string;
  /** After which time members of groups under the default policy must ask again; absent: membership has no end. */
  maximumDuration?: string;
}

const UNITS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
] as const;

/** A length of time in its largest unit that fits without a rest: `14 days`, `36 hours`. */
function lengthOf(duration: string): string {
  const ms = parseDuration(duration) ?? 0;
  const [size, unit] = UNITS.find(([each]) => ms % each === 0) ?? UNITS[3];
  const count = ms / size;
  return `${number(count)} ${unit}${count === 1 ? '' : 's'}`;
}

/**
 * The text that tells owners how group management works in this tenant and what is expected of them. `link`: where they see their
 * groups. Plain text, paragraphs divided by an empty line.
 */
export function ownersAnnouncement(
  link: string,
  { groups, deadline, maximumDuration }: AnnouncementFacts,
): { subject: string; text: string } {
  const end =
    maximumDuration === undefined
      ? ''
      : ` Membership lasts at most ${lengthOf(maximumDuration)} unless the group’s policy says otherwise; before it ends the member is told and can ask again.`;
  return {
    subject: 'You decide who joins your groups',
    text: [
      `From now on people ask to join your groups themselves, and you decide instead of the IT department. ${groups === 1 ? 'One group works' : `${number(groups)} groups work`} this way.`,
      `How it works: somebody asks and gives a reason. You get a mail with a link. You look at the request, approve or deny it, and the membership is set. If several people own a group, one answer is enough unless its policy says otherwise. The person who asked is told what you decided.${end}`,
      `What is expected of you: answer within the time that the mail names, ${lengthOf(deadline)} unless the group’s policy says otherwise; approve only people whose need you know; look at the members now and then, and remove who no longer belongs; see to it that the group has a second owner; renew the group when you are asked to, or let it end.`,
      `Your groups: ${link}`,
    ].join('\n\n'),
  };
}

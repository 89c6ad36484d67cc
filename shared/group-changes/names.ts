import { DirectoryRefused } from '../directory/directory';
import type { CreationPolicy } from '../domain/creation-policy';
import { isProtected } from '../domain/eligibility';
import type { Group } from '../domain/eligibility';
import type { GroupKind } from '../domain/group-change';
import { checkName, compileNameRules } from '../domain/names';
import type { CheckedName } from '../domain/names';
import { nearDuplicateSearch } from '../domain/near-duplicates';
import type { NearDuplicate } from '../domain/near-duplicates';
import { NO_NAMING_POLICY, readNamingPolicy } from '../domain/naming-policy';
import type { NamingPolicy } from '../domain/naming-policy';
import { policyInForce } from '../policies/in-force';
import type { Services } from '../services';
import { needFeature } from './features';

export interface NameWish {
  kind: GroupKind;
  displayName: string;
  mailNickname?: string;
  /** Whose attributes the tenant's policy asks for. */
  personId: string;
  /** The group that shall bear the name, where there is one: it is not in its own way. */
  groupId?: string;
  /** Nicknames that the directory refused although it did not list them. */
  refused?: readonly string[];
}

/** The tenant's naming policy. @throws {FeatureOff} where it can't be read */
async function tenantPolicy(services: Services): Promise<NamingPolicy> {
  await needFeature(services, 'naming');
  const { requirement, blockedWords } = await services.directory.namingSettings();
  const read = readNamingPolicy(requirement, blockedWords);
  if (read.kind === 'invalid') throw new DirectoryRefused(400, 'naming-policy-invalid', read.sentence);
  return read.policy;
}

/** Each time the directory is asked for more mail nicknames that are taken. */
const MOST_ASKED_FOR = 5;

/**
 * The name as the group would have it, and all that is against it: rules, and groups that have it already. Microsoft 365 groups follow the
 * tenant's policy with the person's attributes, security groups our own rules.
 */
export async function checkGroupName(
  services: Services,
  wish: NameWish,
  { names }: Pick<CreationPolicy, 'names'>,
): Promise<CheckedName> {
  const { directory } = services;
  const isMicrosoft365 = wish.kind === 'microsoft365';
  const [tenant, attributes] = await Promise.all([
    isMicrosoft365 ? tenantPolicy(services) : NO_NAMING_POLICY,
    isMicrosoft365 ? directory.namingAttributes(wish.personId) : {},
  ]);
  const security = compileNameRules(names);
  const taken = new Set(wish.refused);
  const check = (): CheckedName =>
    checkName({ ...wish, tenant, attributes, security, isNicknameTaken: (nickname) => taken.has(nickname) });

  let checked = check();
  for (let left = MOST_ASKED_FOR; isMicrosoft365 && wish.groupId === undefined && left > 0; left -= 1) {
    const nickname = checked.mailNickname?.toLowerCase();
    // one that no group can have is not looked for
    const isOfNone = checked.violations.some(({ of, rule }) => of === 'mailNickname' && rule !== 'nickname-taken');
    if (nickname === undefined || isOfNone || taken.has(nickname)) break;
    const found = await directory.nicknames(nickname);
    if (!found.includes(nickname)) break;
    for (const each of found) taken.add(each);
    checked = check();
  }
  if (isProtected({ id: '', displayName: checked.displayName }, services.config.PROTECTED_GROUPS))
    return { ...checked, violations: [namesProtected, ...checked.violations] };
  if (checked.violations.some(({ of }) => of === 'displayName')) return checked;
  const same = (await directory.groupsNamed(checked.displayName)).filter(({ id }) => id !== wish.groupId);
  return same.length === 0
    ? checked
    : { ...checked, violations: [nameTaken(checked.displayName), ...checked.violations] };
}

const namesProtected: CheckedName['violations'][number] = {
  rule: 'name-is-reserved',
  of: 'displayName',
  sentence: 'Groups of this name are protected: they are not made or managed here. Choose another name.',
};

const nameTaken = (name: string): CheckedName['violations'][number] => ({
  rule: 'name-taken',
  of: 'displayName',
  sentence: `There is a group named “${name}” already. Ask to join it, or say in the name what is different about yours.`,
});

const MOST_CANDIDATES = 50;
const MOST_NEAR = 20;
const MOST_SHOWN = 5;
const MOST_WORDS = 3;

/**
 * Existing groups with a name near the wished one. Bounded work: those that share one of the longest words, and those that begin alike,
 * at most fifty each. `sees` says which of them the person may know of.
 */
export async function nearDuplicatesOf(
  { directory }: Services,
  displayName: string,
  sees: (group: Group) => Promise<boolean>,
): Promise<NearDuplicate[]> {
  const words = [...new Set(displayName.match(/[\p{L}\p{N}]+/gu) ?? [])]
    .toSorted((one, other) => other.length - one.length)
    .slice(0, MOST_WORDS);
  const start = /^[\p{L}\p{N} ]{1,3}/u.exec(displayName.trim())?.[0] ?? '';
  const found = await Promise.all([
    ...words.map((word) => directory.groupsWith(word, MOST_CANDIDATES)),
    ...(start === '' ? [] : [directory.groupsStarting(start, MOST_CANDIDATES)]),
  ]);
  const groups = new Map(found.flat().map((group) => [group.id, group]));
  const search = nearDuplicateSearch(displayName, { limit: MOST_NEAR });
  for (const group of groups.values()) search.offer(group);
  const near = await Promise.all(
    search.closest().map(async (each) => {
      const group = groups.get(each.id);
      return group !== undefined && (await sees(group)) ? [each] : [];
    }),
  );
  return near.flat().slice(0, MOST_SHOWN);
}

/** Whether everybody may know that the group exists: it is open to self-service, and does not hide its members. */
export const isOpenToAll = async (services: Services, group: Group): Promise<boolean> =>
  !group.hiddenMembership && (await policyInForce(services, group.id)).policy.optedIn;

import { DirectoryRefused } from '../directory/directory';
import type { Page, PageOptions } from '../directory/directory';
import { refusals } from '../domain/eligibility';
import type { Group, Person } from '../domain/eligibility';
import { isExpired } from '../domain/group-life';
import { lifeRules } from '../group-lives/rules';
import { lifetimeStatus } from '../group-lives/status';
import type { LifetimeStatus } from '../group-lives/status';
import { refuseGroup } from '../join-requests/eligibility';
import { policyInForce } from '../policies/in-force';
import type { Grant } from '../records/memberships';
import type { Services } from '../services';

/** Who looks: `seesAll` are operators and administrators. */
export interface Reader {
  id: string;
  seesAll: boolean;
  /** An administrator: may renew every group. */
  administers: boolean;
}

/** A group with what the reader is to it. */
export interface SeenGroup {
  group: Group;
  /** The owners; told to owners and to those who see all. */
  owners: Person[];
  isOwner: boolean;
  isMember: boolean;
  /** Why its membership can't be changed here; absent where it can. */
  refusal?: { rule: string; sentence: string };
  /** When it expires, where it was created here. */
  life?: LifetimeStatus;
}

/**
 * The group, where the reader may know of it: who owns it, is a member, or sees all; anybody, where it is open to self-service and does
 * not hide its members. Makes the same calls whatever it finds, so that what is hidden can't be told from what does not exist.
 */
export async function readGroup(services: Services, groupId: string, reader: Reader): Promise<SeenGroup | undefined> {
  const { directory, records } = services;
  const [group, owners, isMember, { policy }, isNamedByPolicy, stored] = await Promise.all([
    directory.group(groupId),
    directory.owners(groupId),
    directory.isMember(groupId, reader.id),
    policyInForce(services, groupId),
    records.policies.isNamed(groupId),
    records.lives.read(groupId),
  ]);
  if (group === undefined) return undefined;
  const isOwner = owners.some(({ id }) => id === reader.id);
  const isOpen = policy.optedIn && !group.hiddenMembership;
  if (!isOwner && !isMember && !isOpen && !reader.seesAll) return undefined;
  const life = stored?.life;
  const [ofGroup, rules] = await Promise.all([
    refuseGroup(services, { group, policy, isNamedByPolicy }),
    life === undefined ? undefined : lifeRules(services, life),
  ]);
  const refusal = ofGroup ?? (life !== undefined && isExpired(life) ? refusals.groupHasExpired : undefined);
  return {
    group,
    owners,
    isOwner,
    isMember,
    ...(refusal !== undefined && { refusal }),
    ...(life !== undefined && { life: lifetimeStatus(life, rules?.rules, isOwner || reader.administers) }),
  };
}

export interface ListOptions extends PageOptions {
  /** Groups that the reader owns, or is a direct member of, or that have these words in their name. */
  by: { kind: 'owner' } | { kind: 'member' } | { kind: 'search'; words: string[] };
}

/** One page of groups that the reader may know of. Of a search, what they may not is left out: a page can have fewer than its size. */
export async function listGroups(
  services: Services,
  reader: Reader,
  { by, ...page }: ListOptions,
): Promise<Page<Group>> {
  const { directory } = services;
  switch (by.kind) {
    case 'owner':
      return directory.ownedBy(reader.id, page);
    case 'member':
      return directory.joinedBy(reader.id, page);
    case 'search':
      return reader.seesAll ? directory.searchGroups(by.words, page) : visiblePage(services, by.words, page);
  }
}

/** So many pages on which there is nothing to see are passed over in one answer. */
const MOST_PASSED_OVER = 20;

/**
 * One page of what anybody may know of. Pages of groups that are not open, or hide their members, are passed over, before it and behind it:
 * neither an empty page nor a next one says that there are such groups. A page can have fewer than its size.
 */
async function visiblePage(services: Services, words: string[], { size, after }: PageOptions): Promise<Page<Group>> {
  let left = MOST_PASSED_OVER;
  const seen = async (from: string | undefined): Promise<Page<Group> & { from: string | undefined }> => {
    for (let at = from; ; left -= 1) {
      const page = { size, ...(at !== undefined && { after: at }) };
      const { items, next } = await services.directory.searchGroups(words, page);
      const open = await Promise.all(items.map((group) => isOpenToAll(services, group)));
      const visible = items.filter((_, index) => open[index]);
      if (visible.length > 0 || next === undefined || left === 0)
        return { items: visible, from: at, ...(next !== undefined && { next }) };
      at = next;
    }
  };
  const { items, next } = await seen(after);
  const ahead = next === undefined ? undefined : await seen(next);
  const goesOn = ahead?.from !== undefined && (ahead.items.length > 0 || ahead.next !== undefined);
  return { items, ...(goesOn && { next: ahead.from }) };
}

const isOpenToAll = async (services: Services, { id, hiddenMembership }: Group): Promise<boolean> =>
  !hiddenMembership && (await policyInForce(services, id)).policy.optedIn;

/** A direct member, with what Gatehouse knows of the membership. */
export interface SeenMember {
  person: Person;
  /** Gatehouse added the person, by these grants; absent where somebody else did. */
  grants?: Grant[];
}

/** One page of a group's direct members. */
export async function listMembers(
  { directory, records }: Services,
  groupId: string,
  page: PageOptions,
): Promise<Page<SeenMember>> {
  const { items, ...rest } = await directory.membersPage(groupId, page);
  const members = await Promise.all(
    items.map(async (person): Promise<SeenMember> => {
      const membership = await records.memberships.read(groupId, person.id);
      return membership?.addedByGatehouse === true ? { person, grants: membership.grants } : { person };
    }),
  );
  return { ...rest, items: members };
}

/** The directory takes no such page: its token is of another list, too old, or not one of its own. */
export const isBadPage = (error: unknown, after: string | undefined): boolean =>
  after !== undefined && error instanceof DirectoryRefused && error.status === 400;

import type { Group, Person } from '../domain/eligibility';
import type { NamingAttributes } from '../domain/naming-policy';

/** A group that shall be there. */
export interface NewGroup {
  /** Under this name a repeat finds what an earlier attempt created. */
  uniqueName: string;
  kind: 'security' | 'microsoft365';
  displayName: string;
  mailNickname: string;
  description?: string;
  visibility?: 'Public' | 'Private';
  /** Of people; together at most 20. */
  ownerIds: readonly string[];
  memberIds: readonly string[];
}

export type CreateResult =
  | { kind: 'created'; group: Group }
  /** A group of this unique name is there already, or was and can be restored: an earlier attempt created it. */
  | { kind: 'exists' }
  /** Another Microsoft 365 group, or a person, has the mail nickname. */
  | { kind: 'nickname-taken' }
  /** The directory wants another prefix or suffix: it fills in the tenant's naming policy for the app, which has no attributes. */
  | { kind: 'affixes-refused' }
  /** A word of the name is blocked in the tenant. */
  | { kind: 'word-refused' };

/** One page of a list, and how to go on. */
export interface Page<Item> {
  items: Item[];
  /** Names the next page to the same call. */
  next?: string;
}

export interface PageOptions {
  size: number;
  /** `next` of the page before. */
  after?: string;
}

/** What people who look after groups need. What changes a group or its owners takes `Group.ReadWrite.All`. */
export interface GroupDirectory {
  groupByUniqueName(uniqueName: string): Promise<Group | undefined>;
  createGroup(group: NewGroup): Promise<CreateResult>;
  describeGroup(
    groupId: string,
    change: { displayName?: string; description?: string | null },
  ): Promise<'changed' | 'gone'>;
  addOwner(groupId: string, personId: string): Promise<'added' | 'already' | 'gone'>;
  /** `last` where the directory keeps the last owner that is a person. */
  removeOwner(groupId: string, personId: string): Promise<'removed' | 'not-an-owner' | 'last'>;
  /** When the group was created or last renewed, by somebody or because it was used: Microsoft 365 groups alone are. */
  renewedAt(groupId: string): Promise<Date | undefined>;
  /** Lets the tenant's own expiration begin anew; `not-governed` where the tenant lets groups like this one live for ever. */
  renewGroup(groupId: string): Promise<'renewed' | 'not-governed' | 'gone'>;
  /** Softly: it can be restored for 30 days. */
  deleteGroup(groupId: string): Promise<'deleted' | 'gone'>;
  /** The tenant's naming policy as its settings have it; takes `GroupSettings.Read.All`. */
  namingSettings(): Promise<{ requirement: string; blockedWords: string }>;
  namingAttributes(personId: string): Promise<NamingAttributes>;
  /** Mail nicknames of mail-enabled groups that begin so, in small letters; at most 999. */
  nicknames(start: string): Promise<string[]>;
  /** Groups of exactly this display name, whatever the case. */
  groupsNamed(displayName: string): Promise<Group[]>;
  /** Groups whose name begins so; at most `most`. */
  groupsStarting(start: string, most: number): Promise<Group[]>;
  /** Groups in whose name the word is; at most `most`. */
  groupsWith(word: string, most: number): Promise<Group[]>;
  searchGroups(words: readonly string[], page: PageOptions): Promise<Page<Group>>;
  ownedBy(personId: string, page: PageOptions): Promise<Page<Group>>;
  /** Groups that the person is a direct member of. */
  joinedBy(personId: string, page: PageOptions): Promise<Page<Group>>;
  /** Direct members that are people. */
  membersPage(groupId: string, page: PageOptions): Promise<Page<Person>>;
}

/** The few things that the rules ask of Microsoft Graph. Ids are object ids; a missing object is `undefined`, not an error. */
export interface Directory extends GroupDirectory {
  group(id: string): Promise<Group | undefined>;
  /** For a synchronised group: whether its management was moved to the cloud. */
  isCloudManaged(groupId: string): Promise<boolean>;
  /** By object id or user principal name. */
  person(idOrUpn: string): Promise<Person | undefined>;
  /** The person's manager; `undefined` where they have none. */
  manager(personId: string): Promise<Person | undefined>;
  /** All owners that are people, in the directory's order; empty where the group is gone. */
  owners(groupId: string): Promise<Person[]>;
  /** Direct members that are people. */
  members(groupId: string): Promise<Person[]>;
  /** Direct or through another group. */
  isMember(groupId: string, personId: string): Promise<boolean>;
  /** Those of at most 20 groups that the person is a member of, directly or through another group. */
  memberOf(personId: string, groupIds: readonly string[]): Promise<string[]>;
  /** `already` where the person was a member before the call, `gone` where group or person no longer exist. */
  addMember(groupId: string, personId: string): Promise<'added' | 'already' | 'gone'>;
  removeMember(groupId: string, personId: string): Promise<'removed' | 'not-a-member'>;
}

/** The directory can't answer now. The step is repeated later; `retryAfterMs` is what it asked for. */
export class DirectoryUnavailable extends Error {
  override name = 'DirectoryUnavailable';
  constructor(
    message: string,
    readonly retryAfterMs?: number,
  ) {
    super(withoutAddresses(message));
  }
}

/** The directory refuses, and would again: a permission is missing, or the object is not one that it lets us change. */
export class DirectoryRefused extends Error {
  override name = 'DirectoryRefused';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(withoutAddresses(message));
  }
}

/** What a service or a client says may name people by their address or user principal name; what is logged names nobody. */
const withoutAddresses = (text: string): string =>
  text.replace(/[^\s'"<>()/=,;:]+(?:@|%40)[^\s'"<>()/?&,;:]+/gi, '(address)');

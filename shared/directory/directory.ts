import type { Group, Person } from '../domain/eligibility';

/** The few things that the rules ask of Microsoft Graph. Ids are object ids; a missing object is `undefined`, not an error. */
export interface Directory {
  group(id: string): Promise<Group | undefined>;
  /** For a synchronised group: whether its management was moved to the cloud. */
  isCloudManaged(groupId: string): Promise<boolean>;
  /** By object id or user principal name. */
  person(idOrUpn: string): Promise<Person | undefined>;
  /** All owners that are people, in the directory's order; empty where the group is gone. */
  owners(groupId: string): Promise<Person[]>;
  /** Direct members that are people. */
  members(groupId: string): Promise<Person[]>;
  /** Direct or through another group. */
  isMember(groupId: string, personId: string): Promise<boolean>;
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
    super(message);
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
    super(message);
  }
}

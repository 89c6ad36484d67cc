import { GraphError } from '@microsoft/microsoft-graph-client';
import { z } from 'zod';

import type { Group, Person } from '../domain/eligibility';
import { DirectoryUnavailable } from './directory';

// How Microsoft Graph v1.0 says what a group, a person and an error is, for all that calls it.

/** The properties that `toGroup` reads. */
export const GROUP_PROPERTIES =
  'id,displayName,description,mailEnabled,securityEnabled,groupTypes,onPremisesSyncEnabled,isAssignableToRole,isManagementRestricted,visibility';
/** The properties that `toPerson` reads. */
export const PERSON_PROPERTIES = 'id,displayName,userPrincipalName,mail,accountEnabled,userType,jobTitle,department';

const groupSchema = z.object({
  id: z.string(),
  displayName: z.string().nullish(),
  description: z.string().nullish(),
  mailEnabled: z.boolean().nullish(),
  securityEnabled: z.boolean().nullish(),
  groupTypes: z.array(z.string()).default([]),
  onPremisesSyncEnabled: z.boolean().nullish(),
  isAssignableToRole: z.boolean().nullish(),
  isManagementRestricted: z.boolean().nullish(),
  visibility: z.string().nullish(),
});

const personSchema = z.object({
  id: z.string(),
  displayName: z.string().nullish(),
  userPrincipalName: z.string().nullish(),
  mail: z.string().nullish(),
  accountEnabled: z.boolean().nullish(),
  userType: z.string().nullish(),
  jobTitle: z.string().nullish(),
  department: z.string().nullish(),
});

/** One page of a collection. */
export const pageSchema = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.string().optional() });

/** Answers of another form than Graph's come from something in between: the call is made again later. */
export function parse<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new DirectoryUnavailable(`Microsoft Graph answered in a form it never uses: ${z.prettifyError(parsed.error)}`);
}

/** A name on one line: line ends of any kind would break whatever it is put into. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');

export const toPerson = (value: unknown): Person => {
  const found = parse(personSchema, value);
  return {
    id: found.id.toLowerCase(),
    displayName: oneLine(found.displayName ?? found.userPrincipalName ?? found.id),
    userPrincipalName: found.userPrincipalName ?? found.id,
    mail: found.mail ?? null,
    accountEnabled: found.accountEnabled === true,
    isGuest: found.userType === 'Guest',
    jobTitle: found.jobTitle ?? null,
    department: found.department ?? null,
  };
};

export const toGroup = (value: unknown): Group => {
  const found = parse(groupSchema, value);
  return {
    id: found.id.toLowerCase(),
    displayName: oneLine(found.displayName ?? found.id),
    description: found.description ?? null,
    mailEnabled: found.mailEnabled === true,
    securityEnabled: found.securityEnabled === true,
    groupTypes: found.groupTypes,
    onPremisesSyncEnabled: found.onPremisesSyncEnabled === true,
    isAssignableToRole: found.isAssignableToRole === true,
    isManagementRestricted: found.isManagementRestricted === true,
    hiddenMembership: found.visibility === 'HiddenMembership',
  };
};

export const isNotFound = (error: unknown): boolean => error instanceof GraphError && error.statusCode === 404;

/** "One or more added object references already exist …": Graph answers 400, not 409 (group-post-members, group-post-owners, Graph v1.0). */
export const isAlreadyThere = (error: unknown): boolean =>
  error instanceof GraphError &&
  error.statusCode === 400 &&
  /added object references already exist/i.test(error.message);

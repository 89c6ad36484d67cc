import type { MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { tenant } from '../demo-tenant';
import { denied, GraphProblem } from './problems';
import type { GraphCall, GraphEnv } from './problems';
import { basicUserProperties } from './properties';
import type { DirectoryObject } from './properties';

/** What the issuer's token says, its signature verified. */
export interface TokenClaims {
  aud: string;
  /** Seconds since 1970. */
  exp: number;
  iss: string;
  roles: string[];
  oid: string;
  appid: string;
  tid: string;
}

const GRAPH = 'https://graph.microsoft.com';

const rejected = (message: string): GraphProblem =>
  new GraphProblem(401, 'InvalidAuthenticationToken', message, { 'WWW-Authenticate': 'Bearer realm=""' });

const expired = (): GraphProblem => rejected('Lifetime validation failed, the token is expired.');

const codedError = z.object({ code: z.string() });

async function claimsOf(token: string, verify: (token: string) => Promise<TokenClaims>): Promise<TokenClaims> {
  try {
    return await verify(token);
  } catch (error) {
    if (codedError.safeParse(error).data?.code === 'ERR_JWT_EXPIRED') throw expired();
    throw rejected('Access token validation failure.');
  }
}

/** Lets only calls with a good token for Graph pass, and keeps its claims. */
export function authenticate(verify: (token: string) => Promise<TokenClaims>): MiddlewareHandler<GraphEnv> {
  return async (c, next) => {
    const token = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (token === undefined) throw rejected('Access token is empty.');
    if (token.split('.').length !== 3) throw rejected('CompactToken parsing failed with error code: 80049217');
    const claims = await claimsOf(token, verify);
    if (claims.exp * 1000 <= Date.now()) throw expired();
    if (claims.aud !== GRAPH && claims.aud !== `${GRAPH}/`) {
      throw rejected('Access token validation failure. Invalid audience.');
    }
    if (claims.tid !== tenant.id) throw rejected('Access token validation failure. Invalid tenant.');
    c.set('claims', claims);
    await next();
  };
}

/** Any one of these permissions will do; a list within needs all of its own. */
export type Requirement = readonly (string | readonly string[])[];

const directoryRead = ['Directory.Read.All', 'Directory.ReadWrite.All'];
const directoryWrite = ['Directory.ReadWrite.All'];
export const groupRead: Requirement = [
  'GroupMember.Read.All',
  'GroupMember.ReadWrite.All',
  'Group.Read.All',
  'Group.ReadWrite.All',
  ...directoryRead,
];
export const memberWrite: Requirement = ['GroupMember.ReadWrite.All', 'Group.ReadWrite.All', ...directoryWrite];
export const groupWrite: Requirement = ['Group.ReadWrite.All', ...directoryWrite];
/** Creating groups; with `Group.Create` alone an app may write only on groups that it owns. */
export const groupCreate: Requirement = ['Group.Create', ...groupWrite];
/** What GroupMember permissions do not cover: deltas, deleted items, validation of names. */
export const groupReadAll: Requirement = ['Group.Read.All', 'Group.ReadWrite.All', ...directoryRead];
export const groupSettingsRead: Requirement = [
  'GroupSettings.Read.All',
  'GroupSettings.ReadWrite.All',
  ...directoryRead,
];
export const lifecyclePolicyRead: Requirement = directoryRead;
export const lifecyclePolicyWrite: Requirement = directoryWrite;
/** Reading it takes the permission to write it: Graph has no lesser one (onpremisessyncbehavior-get). */
export const syncBehaviorRead: Requirement = ['Group-OnPremisesSyncBehavior.ReadWrite.All'];
export const userReadAll: Requirement = ['User.Read.All', 'User.ReadWrite.All', ...directoryRead];
export const userRead: Requirement = ['User.ReadBasic.All', ...userReadAll];
export const userDelete: Requirement = ['User.ReadWrite.All', 'User.DeleteRestore.All', ...directoryWrite];
export const membershipCheck: Requirement = [
  ...directoryRead,
  ...userRead.flatMap((user) => groupRead.map((group) => [user, group].flat())),
];
export const objectRead: Requirement = [
  ...directoryRead,
  ...userReadAll.flatMap((user) => groupRead.map((group) => [user, group].flat())),
];
export const organizationRead: Requirement = [
  'Organization.Read.All',
  'Organization.ReadWrite.All',
  'User.Read.All',
  ...directoryRead,
];
export const applicationRead: Requirement = ['Application.Read.All', 'Application.ReadWrite.All', ...directoryRead];
/** On top of what else it takes, for a group that can be given directory roles. */
export const roleAssignment: Requirement = ['RoleManagement.ReadWrite.Directory'];
/** Without it, who is in a group of hidden membership stays hidden, silently. */
export const hiddenMembers: Requirement = ['Member.Read.Hidden'];

/** Whether the caller's token holds what is required. */
export function may(c: GraphCall, requirement: Requirement): boolean {
  const roles = new Set(c.get('claims').roles);
  return requirement.some((entry) =>
    typeof entry === 'string' ? roles.has(entry) : entry.every((role) => roles.has(role)),
  );
}

/** Refuses with 403 unless the caller's token holds what is required. */
export function need(c: GraphCall, requirement: Requirement): void {
  if (!may(c, requirement)) throw denied();
}

/** Which of an object's properties the caller may read; of others, a list shows null. */
export function readable(c: GraphCall, type: DirectoryObject['type']): (name: string) => boolean {
  switch (type) {
    case 'user':
      if (may(c, userReadAll)) return () => true;
      return may(c, userRead) ? (name) => basicUserProperties.has(name) : (name) => name === 'id';
    case 'group':
      return may(c, groupRead) ? () => true : (name) => name === 'id';
    case 'servicePrincipal':
      return may(c, applicationRead) ? () => true : (name) => name === 'id';
  }
}

import type { TokenCredential } from '@azure/identity';
import { AuthenticationHandler, Client, GraphError, HTTPMessageHandler } from '@microsoft/microsoft-graph-client';
import type { GraphRequest } from '@microsoft/microsoft-graph-client';
import { z } from 'zod';

import type { Group, Person } from '../domain/eligibility';
import { DirectoryRefused, DirectoryUnavailable } from './directory';
import type { Directory } from './directory';

const TIMEOUT_MS = 10_000;
const GROUP_PROPERTIES =
  'id,displayName,description,mailEnabled,securityEnabled,groupTypes,onPremisesSyncEnabled,isAssignableToRole,isManagementRestricted,visibility';
const PERSON_PROPERTIES = 'id,displayName,userPrincipalName,mail,accountEnabled,userType,jobTitle,department';

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

const pageSchema = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.string().optional() });

const toPerson = (value: unknown): Person => {
  const found = personSchema.parse(value);
  return {
    id: found.id.toLowerCase(),
    displayName: found.displayName ?? found.userPrincipalName ?? found.id,
    userPrincipalName: found.userPrincipalName ?? found.id,
    mail: found.mail ?? null,
    accountEnabled: found.accountEnabled === true,
    isGuest: found.userType === 'Guest',
    jobTitle: found.jobTitle ?? null,
    department: found.department ?? null,
  };
};

const isNotFound = (error: unknown): boolean => error instanceof GraphError && error.statusCode === 404;

/** "One or more added object references already exist …": Graph answers 400, not 409 (group-post-members, Graph v1.0). */
const isAlreadyMember = (error: unknown): boolean =>
  error instanceof GraphError &&
  error.statusCode === 400 &&
  /added object references already exist/i.test(error.message);

/** 403 without a reason of ours is a missing permission, 400 a group that Graph won't change; everything else may pass. */
function translate(error: unknown): Error {
  if (!(error instanceof GraphError)) {
    return error instanceof Error && error.name === 'ZodError'
      ? new DirectoryUnavailable(`Microsoft Graph answered in a form it never uses: ${error.message}`)
      : new DirectoryUnavailable(`Microsoft Graph can't be reached: ${String(error)}`);
  }
  if (error.statusCode === 400 || error.statusCode === 403 || error.statusCode === 404) {
    return new DirectoryRefused(
      error.statusCode,
      error.code ?? 'unknown',
      `Microsoft Graph refused (${String(error.statusCode)} ${error.code ?? ''}): ${error.message}`,
    );
  }
  const seconds = Number(error.headers?.get('Retry-After') ?? '');
  return new DirectoryUnavailable(
    `Microsoft Graph answered ${String(error.statusCode)} ${error.code ?? ''}`,
    Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined,
  );
}

export interface GraphOptions {
  /** `https://graph.microsoft.com`, or the endpoint of a national cloud. */
  endpoint: string;
  /** Scope of its tokens, `https://graph.microsoft.com/.default` or a national cloud's. */
  scope: string;
  credential: TokenCredential;
}

/** The directory on Microsoft Graph v1.0. Retries are left to the workflow: each call is tried once. */
export function graphDirectory({ endpoint, scope, credential }: GraphOptions): Directory {
  const authentication = new AuthenticationHandler({
    getAccessToken: async () => {
      const token = await credential.getToken(scope);
      if (token === null) throw new DirectoryUnavailable('The managed identity gave no token for Microsoft Graph.');
      return token.token;
    },
  });
  authentication.setNext(new HTTPMessageHandler());
  const client = Client.initWithMiddleware({
    baseUrl: endpoint,
    defaultVersion: 'v1.0',
    middleware: authentication,
    customHosts: new Set([new URL(endpoint).hostname]),
  });

  const call = (path: string): GraphRequest => client.api(path).option('signal', AbortSignal.timeout(TIMEOUT_MS));
  const segment = encodeURIComponent;

  const orUndefined = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw translate(error);
    }
  };

  const people = async (path: string): Promise<Person[]> => {
    const found: Person[] = [];
    let next: string | undefined = `${path}?$select=${PERSON_PROPERTIES}&$top=999`;
    while (next !== undefined) {
      const answer: unknown = await orUndefined(call(next).get() as Promise<unknown>);
      if (answer === undefined) return [];
      const page = parse(pageSchema, answer);
      found.push(...page.value.map(toPerson));
      next = page['@odata.nextLink'];
    }
    return found;
  };

  const parse = <T>(schema: z.ZodType<T>, answer: unknown): T => {
    const parsed = schema.safeParse(answer);
    if (!parsed.success)
      throw new DirectoryUnavailable(
        `Microsoft Graph answered in a form it never uses: ${z.prettifyError(parsed.error)}`,
      );
    return parsed.data;
  };

  return {
    group: async (id) => {
      const answer: unknown = await orUndefined(
        call(`/groups/${segment(id)}`)
          .query({ $select: GROUP_PROPERTIES })
          .get() as Promise<unknown>,
      );
      if (answer === undefined) return undefined;
      const found = parse(groupSchema, answer);
      return {
        id: found.id.toLowerCase(),
        displayName: found.displayName ?? found.id,
        description: found.description ?? null,
        mailEnabled: found.mailEnabled === true,
        securityEnabled: found.securityEnabled === true,
        groupTypes: found.groupTypes,
        onPremisesSyncEnabled: found.onPremisesSyncEnabled === true,
        isAssignableToRole: found.isAssignableToRole === true,
        isManagementRestricted: found.isManagementRestricted === true,
        hiddenMembership: found.visibility === 'HiddenMembership',
      } satisfies Group;
    },
    isCloudManaged: async (groupId) => {
      try {
        const answer: unknown = await orUndefined(
          call(`/groups/${segment(groupId)}/onPremisesSyncBehavior`).get() as Promise<unknown>,
        );
        return z.object({ isCloudManaged: z.literal(true) }).safeParse(answer).success;
      } catch (error) {
        // needs a permission that joining does not; without it a synchronised group counts as managed on-premises
        if (error instanceof DirectoryRefused && error.status === 403) return false;
        throw error;
      }
    },
    person: async (idOrUpn) => {
      const answer: unknown = await orUndefined(
        call(`/users/${segment(idOrUpn)}`)
          .query({ $select: PERSON_PROPERTIES })
          .get() as Promise<unknown>,
      );
      return answer === undefined ? undefined : toPerson(answer);
    },
    owners: (groupId) => people(`/groups/${segment(groupId)}/owners/microsoft.graph.user`),
    members: (groupId) => people(`/groups/${segment(groupId)}/members/microsoft.graph.user`),
    isMember: async (groupId, personId) => {
      const answer: unknown = await orUndefined(
        call(`/users/${segment(personId)}/checkMemberGroups`).post({ groupIds: [groupId] }) as Promise<unknown>,
      );
      if (answer === undefined) return false;
      return parse(z.object({ value: z.array(z.string()) }), answer).value.some((id) => id.toLowerCase() === groupId);
    },
    addMember: async (groupId, personId) => {
      try {
        await call(`/groups/${segment(groupId)}/members/$ref`).post({
          '@odata.id': `${endpoint}/v1.0/directoryObjects/${segment(personId)}`,
        });
        return 'added';
      } catch (error) {
        if (isAlreadyMember(error)) return 'already';
        if (isNotFound(error)) return 'gone';
        throw translate(error);
      }
    },
    removeMember: async (groupId, personId) => {
      try {
        // without `/$ref` Graph would delete the person
        await call(`/groups/${segment(groupId)}/members/${segment(personId)}/$ref`).delete();
        return 'removed';
      } catch (error) {
        if (isNotFound(error)) return 'not-a-member';
        throw translate(error);
      }
    },
  };
}

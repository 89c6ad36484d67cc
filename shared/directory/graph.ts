import { AuthenticationHandler, Client, GraphError, HTTPMessageHandler } from '@microsoft/microsoft-graph-client';
import type { GraphRequest, Middleware } from '@microsoft/microsoft-graph-client';
import { z } from 'zod';

import type { Person } from '../domain/eligibility';
import { event } from '../telemetry';
import { DirectoryRefused, DirectoryUnavailable } from './directory';
import type { Directory } from './directory';
import { groupCalls } from './graph-groups';
import type { GraphSource } from './graph-reader';
import {
  GROUP_PROPERTIES,
  isAlreadyThere,
  isNotFound,
  pageSchema,
  parse,
  PERSON_PROPERTIES,
  toGroup,
  toPerson,
} from './graph-objects';

const MOST_PAGES = 200;
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

/**
 * The client hands on the headers of an error only where its body is Graph's: one without a body, as throttling may have, is given one,
 * so that its `Retry-After` is not lost.
 */
function withRetryAfter(transport: HTTPMessageHandler, throttled: GraphOptions['throttled']): Middleware {
  return {
    execute: async (context) => {
      await transport.execute(context);
      const { response } = context;
      if (response?.status === 403 || response?.status === 429) {
        const call = new URL(String(context.request)).pathname.replaceAll(
          /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi,
          '{id}',
        );
        event('graph', { status: response.status, call: call.replaceAll(/\/users\/[^/{]+/g, '/users/{id}') });
      }
      if (response?.status === 429) throttled?.(secondsIn(response.headers));
      if (response === undefined || response.status < 429 || !response.headers.has('retry-after')) return;
      const error = { code: String(response.status), message: await response.text() };
      const headers = new Headers(response.headers);
      headers.set('content-type', 'application/json');
      headers.delete('content-length');
      context.response = new Response(JSON.stringify({ error }), { status: response.status, headers });
    },
  };
}

export interface GraphOptions extends GraphSource {
  /** Makes only calls that the permissions for joining allow. */
  strict: boolean;
  /** Told each time that Graph answers 429, with the seconds that it asks to wait where it names them. */
  throttled?: (seconds: number | undefined) => void;
}

function secondsIn(headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

/** The directory on Microsoft Graph v1.0. Retries are left to the workflow: each call is tried once. */
export function graphDirectory({ endpoint, scope, credential, strict, timeoutMs, throttled }: GraphOptions): Directory {
  const authentication = new AuthenticationHandler({
    getAccessToken: async () => {
      const token = await credential.getToken(scope);
      if (token === null) throw new DirectoryUnavailable('The managed identity gave no token for Microsoft Graph.');
      return token.token;
    },
  });
  authentication.setNext(withRetryAfter(new HTTPMessageHandler(), throttled));
  const client = Client.initWithMiddleware({
    baseUrl: endpoint,
    defaultVersion: 'v1.0',
    middleware: authentication,
    customHosts: new Set([new URL(endpoint).hostname]),
  });

  const call = (path: string): GraphRequest => client.api(path).option('signal', AbortSignal.timeout(timeoutMs));
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
    const seen = new Set<string>();
    while (next !== undefined) {
      if (seen.has(next) || seen.size >= MOST_PAGES)
        throw new DirectoryUnavailable('Microsoft Graph gave pages without an end.');
      seen.add(next);
      const answer: unknown = await orUndefined(call(next).get() as Promise<unknown>);
      if (answer === undefined) return [];
      const page = parse(pageSchema, answer);
      found.push(...page.value.map(toPerson));
      next = page['@odata.nextLink'];
    }
    return found;
  };

  const memberOf: Directory['memberOf'] = async (personId, groupIds) => {
    const answer: unknown = await orUndefined(
      call(`/users/${segment(personId)}/checkMemberGroups`).post({ groupIds }) as Promise<unknown>,
    );
    if (answer === undefined) return [];
    return parse(z.object({ value: z.array(z.string()) }), answer).value.map((id) => id.toLowerCase());
  };

  return {
    ...groupCalls({
      call,
      orUndefined,
      translate,
      objects: `${endpoint}/v1.0/directoryObjects`,
    }),
    group: async (id) => {
      const answer: unknown = await orUndefined(
        call(`/groups/${segment(id)}`)
          .query({ $select: GROUP_PROPERTIES })
          .get() as Promise<unknown>,
      );
      return answer === undefined ? undefined : toGroup(answer);
    },
    isCloudManaged: async (groupId) => {
      if (strict) return false;
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
    manager: async (personId) => {
      const answer: unknown = await orUndefined(
        call(`/users/${segment(personId)}/manager`)
          .query({ $select: PERSON_PROPERTIES })
          .get() as Promise<unknown>,
      );
      // a manager may be an organizational contact, who can't decide: it has no account
      return answer === undefined ? undefined : toPerson(answer);
    },
    owners: (groupId) => people(`/groups/${segment(groupId)}/owners/microsoft.graph.user`),
    members: (groupId) => people(`/groups/${segment(groupId)}/members/microsoft.graph.user`),
    isMember: async (groupId, personId) => (await memberOf(personId, [groupId])).includes(groupId),
    memberOf,
    addMember: async (groupId, personId) => {
      try {
        await call(`/groups/${segment(groupId)}/members/$ref`).post({
          '@odata.id': `${endpoint}/v1.0/directoryObjects/${segment(personId)}`,
        });
        return 'added';
      } catch (error) {
        if (isAlreadyThere(error)) return 'already';
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

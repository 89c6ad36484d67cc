// The part of Microsoft Graph v1.0 that the scripts of a deployment call: applications, service principals, role assignments, consents.
// Answers are Graph's own in status, code and message (application-upsert, serviceprincipal-post-approleassignedto,
// application-post-federatedidentitycredentials, oauth2permissiongrant-post).
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

export const TOKEN = 'a-token-for-graph';
export const GRAPH_APP_ID = '00000003-0000-0000-c000-000000000000';
export const EVENT_GRID_APP_ID = '4962773b-9cdb-44cf-a8bf-237846a00ab7';

type Json = Record<string, unknown>;
export interface AppRole {
  id: string;
  value: string;
  isEnabled: boolean;
  allowedMemberTypes: string[];
}
export interface ServicePrincipal {
  id: string;
  appId: string;
  displayName: string;
  servicePrincipalType: 'ManagedIdentity' | 'Application';
  appRoles: AppRole[];
}
interface Assignment {
  id: string;
  principalId: string;
  principalDisplayName: string;
  resourceId: string;
  appRoleId: string;
}
interface Application extends Json {
  id: string;
  appId: string;
  displayName: string;
  uniqueName: string;
  federated: Json[];
}

class Refusal extends Error {
  constructor(
    readonly status: ContentfulStatusCode,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const notFound = (id: string): Refusal =>
  new Refusal(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );

export interface TestGraph {
  url: string;
  /** Every call that may change something, as `POST /path`. */
  writes: string[];
  principals: ServicePrincipal[];
  assignments: Assignment[];
  applications: Application[];
  consents: Json[];
  /** Answers given, in turn, instead of Graph's own. */
  faults: { status: ContentfulStatusCode; headers?: Record<string, string>; body?: unknown }[];
  /** Calls that answer 404 although the object is there: not replicated yet. */
  stale: number;
  /** What the caller's role in Entra lets it do. */
  mayWrite: boolean;
  /** Object id of who is signed in; undefined for an app. */
  me: string | undefined;
  close: () => Promise<void>;
}

const role = (value: string): AppRole => ({
  id: randomUUID(),
  value,
  isEnabled: true,
  allowedMemberTypes: ['Application'],
});

/** Graph's properties of a complex type that a PATCH leaves out stay as they are. */
const mergedInto = (target: Json, changes: Json): void => {
  for (const [name, value] of Object.entries(changes)) {
    const present = target[name];
    target[name] = isObject(present) && isObject(value) ? { ...present, ...value } : value;
  }
};

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export async function startGraph(permissions: readonly string[], pageSize = 2): Promise<TestGraph> {
  const graph: TestGraph = {
    url: '',
    writes: [],
    principals: [
      {
        id: randomUUID(),
        appId: GRAPH_APP_ID,
        displayName: 'Microsoft Graph',
        servicePrincipalType: 'Application',
        appRoles: permissions.map(role),
      },
    ],
    assignments: [],
    applications: [],
    consents: [],
    faults: [],
    stale: 0,
    mayWrite: true,
    me: randomUUID(),
    close: () => new Promise((done) => server.close(() => done())),
  };

  const app = new Hono();
  app.onError((error, c) => {
    if (!(error instanceof Refusal)) throw error;
    const body = { error: { code: error.code, message: error.message, innerError: { 'request-id': randomUUID() } } };
    return c.json(body, error.status);
  });
  app.use('*', async (c, next) => {
    if (c.req.header('authorization') !== `Bearer ${TOKEN}`)
      throw new Refusal(401, 'InvalidAuthenticationToken', 'Access token validation failure.');
    const fault = graph.faults.shift();
    if (fault !== undefined) return c.json((fault.body ?? {}) as Json, fault.status, fault.headers);
    if (c.req.method !== 'GET') {
      if (!graph.mayWrite)
        throw new Refusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
      graph.writes.push(`${c.req.method} ${c.req.path}`);
    }
    return next();
  });

  const principal = (id: string): ServicePrincipal => {
    const found = graph.principals.find((each) => each.id === id || `(appId='${each.appId}')` === id);
    if (found === undefined) throw notFound(id);
    return found;
  };
  const application = (id: string): Application => {
    const found = graph.applications.find((each) => each.id === id || `(uniqueName='${each.uniqueName}')` === id);
    if (found === undefined) throw notFound(id);
    if (graph.stale > 0) {
      graph.stale -= 1;
      throw notFound(id);
    }
    return found;
  };
  const page = (c: Context, values: readonly unknown[]): Response => {
    const skip = Number(c.req.query('$skiptoken') ?? 0);
    const next = `${graph.url}${c.req.path}?$skiptoken=${String(skip + pageSize)}`;
    return c.json({
      value: values.slice(skip, skip + pageSize),
      ...(skip + pageSize < values.length && { '@odata.nextLink': next }),
    });
  };

  app.get('/v1.0/me', (c) => {
    if (graph.me === undefined)
      throw new Refusal(400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
    return c.json({ id: graph.me });
  });
  app.get('/v1.0/servicePrincipals/:id/appRoleAssignments', (c) =>
    page(
      c,
      graph.assignments.filter(({ principalId }) => principalId === principal(c.req.param('id')).id),
    ),
  );
  app.get('/v1.0/users/:id/appRoleAssignments', (c) =>
    page(
      c,
      graph.assignments.filter(({ principalId }) => principalId === c.req.param('id')),
    ),
  );
  app.get('/v1.0/servicePrincipals/:id/appRoleAssignedTo', (c) =>
    page(
      c,
      graph.assignments.filter(({ resourceId }) => resourceId === principal(c.req.param('id')).id),
    ),
  );
  app.post('/v1.0/servicePrincipals/:id/appRoleAssignedTo', async (c) => {
    const body = await c.req.json<Omit<Assignment, 'id' | 'principalDisplayName'>>();
    const resource = principal(c.req.param('id'));
    const holder = graph.principals.find(({ id }) => id === body.principalId);
    const wanted = resource.appRoles.find(({ id }) => id === body.appRoleId);
    if (body.resourceId !== resource.id || wanted === undefined)
      throw new Refusal(400, 'Request_BadRequest', 'Permission being assigned was not found on application.');
    const kind = holder === undefined ? 'User' : 'Application';
    if (!wanted.allowedMemberTypes.includes(kind))
      throw new Refusal(400, 'Request_BadRequest', 'Permission being assigned cannot be assigned to this principal.');
    if (graph.assignments.some((each) => each.principalId === body.principalId && each.appRoleId === body.appRoleId))
      throw new Refusal(400, 'Request_BadRequest', 'Permission being assigned already exists on the object');
    const assignment = { ...body, id: randomUUID(), principalDisplayName: holder?.displayName ?? 'a person' };
    graph.assignments.push(assignment);
    return c.json(assignment, 201);
  });
  app.delete('/v1.0/servicePrincipals/:id/appRoleAssignedTo/:assignment', (c) => {
    const index = graph.assignments.findIndex(({ id }) => id === c.req.param('assignment'));
    if (index < 0) throw notFound(c.req.param('assignment'));
    graph.assignments.splice(index, 1);
    return c.body(null, 204);
  });
  // Hono's `:id` takes the alternate key `servicePrincipals(appId='…')` only as a whole segment
  app.get('/v1.0/:segment{servicePrincipals\\(.+\\)}', (c) =>
    c.json(principal(c.req.param('segment').slice('servicePrincipals'.length))),
  );
  app.get('/v1.0/servicePrincipals/:id', (c) => c.json(principal(c.req.param('id'))));
  app.post('/v1.0/servicePrincipals', async (c) => {
    const { appId } = await c.req.json<{ appId: string }>();
    const registration = graph.applications.find((each) => each.appId === appId);
    const made: ServicePrincipal = {
      id: randomUUID(),
      appId,
      displayName: registration?.displayName ?? (appId === EVENT_GRID_APP_ID ? 'Microsoft.EventGrid' : 'unknown'),
      servicePrincipalType: 'Application',
      get appRoles() {
        return (registration?.['appRoles'] as AppRole[] | undefined) ?? [];
      },
    };
    graph.principals.push(made);
    return c.json(made, 201);
  });

  const changed = async (c: Context, found: Application): Promise<Response> => {
    const changes = await c.req.json<Json & { api?: Json; appRoles?: Json[] }>();
    if (changes.appRoles?.some((each) => 'origin' in each))
      throw new Refusal(400, 'Request_BadRequest', "Property 'origin' is read-only and cannot be set.");
    const known = ((found['api'] as Json | undefined)?.['oauth2PermissionScopes'] ?? []) as { id: string }[];
    const named = (
      (changes.api?.['preAuthorizedApplications'] ?? []) as { delegatedPermissionIds: string[] }[]
    ).flatMap((each) => each.delegatedPermissionIds);
    const missing = named.find((id) => !known.some((scope) => scope.id === id));
    if (missing !== undefined)
      throw new Refusal(
        400,
        'Request_BadRequest',
        `Property PreAuthorizedApplication references permission ${missing}, which does not exist.`,
      );
    mergedInto(found, changes);
    for (const each of (found['appRoles'] as Json[] | undefined) ?? []) each['origin'] = 'Application';
    return c.body(null, 204);
  };
  app.get('/v1.0/:segment{applications\\(.+\\)}', (c) =>
    c.json(application(c.req.param('segment').slice('applications'.length))),
  );
  app.patch('/v1.0/:segment{applications\\(.+\\)}', async (c) => {
    const key = c.req.param('segment').slice('applications'.length);
    const found = graph.applications.find((each) => `(uniqueName='${each.uniqueName}')` === key);
    if (found !== undefined) return changed(c, found);
    if (c.req.header('prefer') !== 'create-if-missing') throw notFound(key);
    const made = {
      ...(await c.req.json<{ displayName: string }>()),
      id: randomUUID(),
      appId: randomUUID(),
      uniqueName: /'(.+)'/.exec(key)?.[1] ?? '',
      identifierUris: [],
      appRoles: [],
      api: { requestedAccessTokenVersion: null, oauth2PermissionScopes: [], preAuthorizedApplications: [] },
      web: {
        redirectUris: [],
        implicitGrantSettings: { enableAccessTokenIssuance: false, enableIdTokenIssuance: false },
      },
      optionalClaims: null,
      federated: [],
    };
    graph.applications.push(made);
    return c.json(made, 201);
  });
  app.patch('/v1.0/applications/:id', (c) => changed(c, application(c.req.param('id'))));
  app.delete('/v1.0/applications/:id', (c) => {
    const { id, appId } = application(c.req.param('id'));
    graph.applications = graph.applications.filter((each) => each.id !== id);
    graph.principals = graph.principals.filter((each) => each.appId !== appId);
    return c.body(null, 204);
  });

  const credentials = '/v1.0/applications/:id/federatedIdentityCredentials';
  app.get(credentials, (c) => page(c, application(c.req.param('id')).federated));
  app.post(credentials, async (c) => {
    const { federated } = application(c.req.param('id'));
    const body = await c.req.json<Json>();
    if (federated.some((each) => each['issuer'] === body['issuer'] && each['subject'] === body['subject']))
      throw new Refusal(
        409,
        'Request_MultipleObjectsWithSameKeyValue',
        'FederatedIdentityCredential with the same issuer and subject already exists on app.',
      );
    const made = { ...body, id: randomUUID() };
    federated.push(made);
    return c.json(made, 201);
  });
  app.patch(`${credentials}/:credential`, async (c) => {
    const found = application(c.req.param('id')).federated.find((each) => each['id'] === c.req.param('credential'));
    if (found === undefined) throw notFound(c.req.param('credential'));
    Object.assign(found, await c.req.json<Json>());
    return c.body(null, 204);
  });
  app.delete(`${credentials}/:credential`, (c) => {
    const owner = application(c.req.param('id'));
    owner.federated = owner.federated.filter((each) => each['id'] !== c.req.param('credential'));
    return c.body(null, 204);
  });

  app.get('/v1.0/oauth2PermissionGrants', (c) => {
    const client = /^clientId eq '(.+)'$/.exec(c.req.query('$filter') ?? '')?.[1];
    return page(
      c,
      graph.consents.filter((each) => each['clientId'] === client),
    );
  });
  app.post('/v1.0/oauth2PermissionGrants', async (c) => {
    const made = { ...(await c.req.json<Json>()), id: randomUUID() };
    graph.consents.push(made);
    return c.json(made, 201);
  });
  app.patch('/v1.0/oauth2PermissionGrants/:id', async (c) => {
    const found = graph.consents.find((each) => each['id'] === c.req.param('id'));
    if (found === undefined) throw notFound(c.req.param('id'));
    Object.assign(found, await c.req.json<Json>());
    return c.body(null, 204);
  });
  app.notFound((c) => {
    throw new Refusal(400, 'BadRequest', `Resource not found for the segment '${c.req.path}'.`);
  });

  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  await new Promise<void>((done) => server.once('listening', () => done()));
  graph.url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return graph;
}

/** Adds an identity that is given permissions. */
export function addPrincipal(
  graph: TestGraph,
  servicePrincipalType: ServicePrincipal['servicePrincipalType'] = 'ManagedIdentity',
): ServicePrincipal {
  const made: ServicePrincipal = {
    id: randomUUID(),
    appId: randomUUID(),
    displayName: 'id-gatehouse-dev',
    servicePrincipalType,
    appRoles: [],
  };
  graph.principals.push(made);
  return made;
}

/** Values of the roles that a principal has on a resource. */
export function rolesOf(graph: TestGraph, principalId: string | undefined, appId = GRAPH_APP_ID): string[] {
  const resource = graph.principals.find((each) => each.appId === appId);
  return graph.assignments
    .filter((each) => each.principalId === principalId && each.resourceId === resource?.id)
    .map(({ appRoleId }) => resource?.appRoles.find(({ id }) => id === appRoleId)?.value ?? appRoleId)
    .sort();
}

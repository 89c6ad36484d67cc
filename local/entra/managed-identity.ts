import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import { tenant } from '../demo-tenant';
import type { Tokens } from './tokens';

const API_VERSION = '2019-08-01';
const GRAPH = /^https:\/\/graph\.microsoft\.com\/?$/;
/** The resources that Gatehouse asks for; with or without the slash at the end. */
const RESOURCES = [GRAPH, /^https:\/\/communication\.azure\.com\/?$/, /^https:\/\/storage\.azure\.com\/?$/];

export interface ManagedIdentityOptions {
  tokens: Tokens;
  identityHeader: string;
  /** The application permissions on Graph that were granted to the identity. */
  graphPermissions: () => string[];
}

/** App Service's own error shape; `ManagedIdentityCredential` shows its message. */
function refuse(c: Context, statusCode: 400 | 401, message: string): Response {
  return c.json({ statusCode, message, correlationId: randomUUID() }, statusCode);
}

/** `undefined`: the query names no identity; the app has only a user-assigned one. */
function namesIdentity(query: Record<string, string>): boolean | undefined {
  const clientId = query['client_id'];
  if (clientId !== undefined) return clientId === tenant.identity.clientId;
  const objectId = query['principal_id'] ?? query['object_id'];
  if (objectId !== undefined) return objectId === tenant.identity.objectId;
  return query['mi_res_id'] === undefined ? undefined : false;
}

/** `GET /msi/token`: App Service's managed-identity endpoint, protocol 2019-08-01. */
export async function answerIdentity(options: ManagedIdentityOptions, c: Context): Promise<Response> {
  if (c.req.header('x-identity-header') !== options.identityHeader) {
    return refuse(c, 401, 'The X-IDENTITY-HEADER of the request is missing or wrong.');
  }
  const query = c.req.query();
  if (query['api-version'] !== API_VERSION) return refuse(c, 400, `The api-version must be ${API_VERSION}.`);
  const named = namesIdentity(query);
  if (named === undefined) return refuse(c, 400, 'Unable to load the proper Managed Identity.');
  if (!named) {
    const message =
      'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.';
    return refuse(c, 400, message);
  }
  const resource = query['resource'];
  if (resource === undefined || resource === '') return refuse(c, 400, 'The parameter resource is missing.');
  if (!RESOURCES.some((known) => known.test(resource))) {
    const sentence = `AADSTS500011: The resource principal named ${resource} was not found in the tenant named ${tenant.displayName}.`;
    return refuse(c, 400, sentence);
  }
  const issued = await options.tokens.forIdentity(resource, GRAPH.test(resource) ? options.graphPermissions() : []);
  return c.json({
    access_token: issued.token,
    expires_on: String(issued.exp),
    resource,
    token_type: 'Bearer',
    client_id: tenant.identity.clientId.toUpperCase(),
  });
}

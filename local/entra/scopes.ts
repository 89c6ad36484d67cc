import { OAuthError, unknownResource } from './oauth-errors';
import { API_SCOPE, findResource } from './registrations';
import type { Resource } from './registrations';

const OPENID = ['openid', 'profile', 'email', 'offline_access'];
const DEFAULT = '/.default';

const invalidScope = (scope: string): OAuthError =>
  new OAuthError(
    'invalid_scope',
    70011,
    `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`,
  );

/** What a sign-in asked for. */
export interface DelegatedScope {
  resource: Resource;
  openid: boolean;
  offline: boolean;
  /** As the token answer names it. */
  granted: string;
}

/** The one resource that a client-credentials request is for, with the identifier that was used. */
export function parseAppScope(scope: string): { resource: Resource; identifier: string } {
  const parts = scope.split(' ').filter((part) => part !== '');
  const [only] = parts;
  if (only === undefined || parts.length !== 1 || !only.endsWith(DEFAULT)) {
    const sentence = `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`;
    throw new OAuthError('invalid_scope', 1002012, sentence);
  }
  const identifier = only.slice(0, -DEFAULT.length);
  const resource = findResource(identifier);
  if (resource === undefined) throw unknownResource(identifier);
  return { resource, identifier };
}

function parseOne(scope: string): Resource {
  if (!scope.includes('/')) return { kind: 'graph' };
  const at = scope.lastIndexOf('/');
  const identifier = scope.slice(0, at);
  const resource = findResource(identifier);
  if (resource === undefined) throw unknownResource(identifier);
  const name = scope.slice(at + 1);
  if (resource.kind === 'gatehouse' && name !== API_SCOPE && name !== '.default') throw invalidScope(scope);
  return resource;
}

/** What a sign-in's `scope` asks for; without any API it is for Graph, as in Entra. */
export function parseDelegatedScope(scope: string): DelegatedScope {
  const parts = scope.split(' ').filter((part) => part !== '');
  if (parts.length === 0) throw invalidScope(scope);
  const resources = parts.filter((part) => !OPENID.includes(part)).map(parseOne);
  const kinds = new Set(resources.map((resource) => resource.kind));
  if (kinds.size > 1) {
    const sentence = `Provided value for the input parameter scope is not valid because it contains more than one resource.`;
    throw new OAuthError('invalid_scope', 28000, sentence);
  }
  return {
    resource: resources[0] ?? { kind: 'graph' },
    openid: parts.includes('openid'),
    offline: parts.includes('offline_access'),
    granted: parts.filter((part) => part !== 'offline_access').join(' '),
  };
}

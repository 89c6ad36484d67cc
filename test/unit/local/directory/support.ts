import { createDirectory } from '../../../../local/directory/directory';
import type { Directory, DirectoryChange, DirectoryOptions, TokenClaims } from '../../../../local/directory/directory';
import { tenant } from '../../../../local/demo-tenant';

/** The permissions that Gatehouse itself is meant to run with. */
export const ownPermissions = ['GroupMember.ReadWrite.All', 'User.Read.All'];

export const base = 'https://graph.test';

/** Stands in for the issuer: the payload is what the token says. */
export const verifyToken = (token: string): Promise<TokenClaims> =>
  Promise.resolve(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as TokenClaims);

export function tokenWith(claims: Partial<TokenClaims> = {}): string {
  const payload: TokenClaims = {
    aud: 'https://graph.microsoft.com',
    exp: Math.floor(Date.now() / 1000) + 600,
    iss: `https://sts.windows.net/${tenant.id}/`,
    roles: ownPermissions,
    oid: tenant.identity.objectId,
    appid: tenant.identity.clientId,
    tid: tenant.id,
    ...claims,
  };
  return `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.e30`;
}

export interface Answer {
  status: number;
  headers: Headers;
  json: Record<string, unknown>;
}

export interface Call {
  method?: string;
  roles?: string[];
  claims?: Partial<TokenClaims>;
  headers?: Record<string, string>;
  body?: unknown;
}

export const eventual = { ConsistencyLevel: 'eventual' };

/** A directory in process, and short ways to call it. */
export function openDirectory(options: Partial<DirectoryOptions> = {}) {
  const directory: Directory = createDirectory({
    state: ':memory:',
    verifyToken,
    publicBase: () => base,
    ...options,
  });
  const graph = async (path: string, call: Call = {}): Promise<Answer> => {
    const claims = { ...(call.roles !== undefined && { roles: call.roles }), ...call.claims };
    const response = await directory.graph.request(`/v1.0${path}`, {
      method: call.method ?? 'GET',
      headers: {
        authorization: `Bearer ${tokenWith(claims)}`,
        ...(call.body !== undefined && { 'content-type': 'application/json' }),
        ...call.headers,
      },
      ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
  };
  const reference = (id: string) => ({ '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}` });
  return {
    ...directory,
    call: graph,
    add: (group: string, target: string, kind: 'members' | 'owners' = 'members', call: Call = {}) =>
      graph(`/groups/${group}/${kind}/$ref`, { method: 'POST', body: reference(target), ...call }),
    drop: (group: string, target: string, kind: 'members' | 'owners' = 'members', call: Call = {}) =>
      graph(`/groups/${group}/${kind}/${target}/$ref`, { method: 'DELETE', ...call }),
    change: async (...changes: DirectoryChange[]): Promise<Response> =>
      directory.site.request('/admin/changes', { method: 'POST', body: JSON.stringify(changes) }),
    settings: async (settings: object): Promise<Response> =>
      directory.site.request('/admin/settings', { method: 'PUT', body: JSON.stringify(settings) }),
  };
}

export const errorOf = (answer: Answer): { code: string; message: string } =>
  answer.json['error'] as { code: string; message: string };

export const valueOf = (answer: Answer): Record<string, unknown>[] => answer.json['value'] as Record<string, unknown>[];

export const idsOf = (answer: Answer): unknown[] => valueOf(answer).map((object) => object['id']);

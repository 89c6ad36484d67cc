import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createAdaptorServer } from '@hono/node-server';
import type { ServerType } from '@hono/node-server';
import {
  BatchRequestContent,
  BatchResponseContent,
  Client,
  GraphError,
  PageIterator,
} from '@microsoft/microsoft-graph-client';
import type { PageCollection } from '@microsoft/microsoft-graph-client';
import { errors, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import type { CryptoKey } from 'jose';
import { generate } from 'selfsigned';
import { z } from 'zod';
import { groups, people, tenant } from '../../../local/demo-tenant';
import { createDirectory } from '../../../local/directory/directory';
import type { Directory, TokenClaims } from '../../../local/directory/directory';

const claimsSchema = z.object({
  aud: z.string(),
  exp: z.number(),
  iss: z.string(),
  roles: z.array(z.string()),
  oid: z.string(),
  appid: z.string(),
  tid: z.string(),
});

let folder: string;
let keys: { privateKey: CryptoKey; publicKey: CryptoKey };
let graphOrigin: string;
let siteOrigin: string;
let directory: Directory;
const servers: ServerType[] = [];
const trustedBefore = getCACertificates('default');

const open = (): Directory =>
  createDirectory({
    state: join(folder, 'directory.db'),
    verifyToken: async (token): Promise<TokenClaims> =>
      claimsSchema.parse((await jwtVerify(token, keys.publicKey)).payload),
    publicBase: () => graphOrigin,
  });

const listen = (server: ServerType): Promise<number> =>
  new Promise((resolve) => {
    servers.push(server);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'directory-'));
  keys = await generateKeyPair('RS256');
  const tls = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  // What NODE_EXTRA_CA_CERTS does for a process that is yet to start.
  setDefaultCACertificates([...trustedBefore, tls.cert]);
  directory = open();
  const graphPort = await listen(
    createAdaptorServer({
      fetch: (request, env) => directory.graph.fetch(request, env),
      createServer,
      serverOptions: { key: tls.private, cert: tls.cert },
    }),
  );
  const sitePort = await listen(createAdaptorServer({ fetch: (request, env) => directory.site.fetch(request, env) }));
  graphOrigin = `https://localhost:${graphPort}`;
  siteOrigin = `http://127.0.0.1:${sitePort}`;
});

afterAll(async () => {
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  directory.close();
  setDefaultCACertificates(trustedBefore);
  rmSync(folder, { recursive: true });
});

async function sign(claims: Record<string, unknown> = {}, validity = '5m', key = keys.privateKey): Promise<string> {
  const payload = {
    roles: ['GroupMember.ReadWrite.All', 'User.Read.All'],
    oid: tenant.identity.objectId,
    appid: tenant.identity.clientId,
    tid: tenant.id,
    iss: `https://sts.windows.net/${tenant.id}/`,
    aud: 'https://graph.microsoft.com',
    ...claims,
  };
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256' }).setIssuedAt().setExpirationTime(validity).sign(key);
}

const client = (token: () => Promise<string> = sign): Client =>
  Client.initWithMiddleware({
    baseUrl: graphOrigin,
    customHosts: new Set(['localhost']),
    authProvider: { getAccessToken: token },
  });

async function failure(call: Promise<unknown>): Promise<GraphError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof GraphError) return error;
  throw new Error('The call did not fail with a GraphError.', { cause: error });
}

const reference = (id: string) => ({ '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}` });

describe('the Graph client of Microsoft against the local directory', () => {
  it('reads a group and its owners', async () => {
    const group = z.object({ displayName: z.string(), isAssignableToRole: z.null() });
    expect(
      group.parse(await client().api(`/groups/${groups.design.id}`).select('displayName,isAssignableToRole').get()),
    ).toEqual({ displayName: 'Design Studio', isAssignableToRole: null });
    const owners = z.object({ value: z.array(z.object({ id: z.string() })) });
    const { value } = owners.parse(
      await client().api(`/groups/${groups.design.id}/owners/microsoft.graph.user`).select('id').get(),
    );
    expect(value.map(({ id }) => id)).toEqual([people.olivia.id, people.omar.id]);
  });

  it('follows next links with its own token through all pages', async () => {
    const first = (await client()
      .api(`/groups/${groups.everyone.id}/members`)
      .select('id')
      .top(10)
      .get()) as PageCollection;
    const seen = new Set<string>();
    const iterator = new PageIterator(client(), first, (member: { id: string }) => {
      seen.add(member.id);
      return true;
    });
    await iterator.iterate();
    expect(seen).toEqual(new Set(Object.values(people).map(({ id }) => id)));
  });

  it('adds a member, is told when it exists, and removes it', async () => {
    const path = `/groups/${groups.finance.id}/members`;
    await client().api(`${path}/$ref`).post(reference(people.rita.id));
    const again = await failure(client().api(`${path}/$ref`).post(reference(people.rita.id)));
    expect(again).toMatchObject({
      statusCode: 400,
      code: 'Request_BadRequest',
      message: "One or more added object references already exist for the following modified properties: 'members'.",
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    const found = z.object({ '@odata.count': z.number() }).parse(
      await client()
        .api(path)
        .header('ConsistencyLevel', 'eventual')
        .filter(encodeURIComponent(`id eq '${people.rita.id}'`))
        .count(true)
        .get(),
    );
    expect(found['@odata.count']).toBe(1);
    await client().api(`${path}/${people.rita.id}/$ref`).delete();
    expect(await failure(client().api(`${path}/${people.rita.id}/$ref`).delete())).toMatchObject({ statusCode: 404 });
  });

  it('waits as told by Retry-After, tries again and succeeds', async () => {
    const rule = {
      path: `/users/${people.ravi.id}$`,
      times: 1,
      fault: {
        kind: 'answer',
        status: 429,
        headers: { 'Retry-After': '1' },
        body: '{"error":{"code":"TooManyRequests"}}',
      },
    };
    await fetch(`${siteOrigin}/admin/calls`, { method: 'DELETE' });
    const set = await fetch(`${siteOrigin}/admin/faults`, { method: 'POST', body: JSON.stringify(rule) });
    expect(set.status).toBe(204);
    await client().api(`/users/${people.ravi.id}`).get();
    const calls = z
      .array(z.object({ status: z.number() }))
      .parse(await (await fetch(`${siteOrigin}/admin/calls`)).json());
    expect(calls.map(({ status }) => status)).toEqual([429, 200]);
  });

  it('sees the connection drop where that is injected after the act, and the act stands', async () => {
    const rule = { path: 'members/\\$ref', times: 1, fault: { kind: 'reset', when: 'after' } };
    await fetch(`${siteOrigin}/admin/faults`, { method: 'POST', body: JSON.stringify(rule) });
    const path = `/groups/${groups.finance.id}/members/$ref`;
    expect(await failure(client().api(path).post(reference(people.ravi.id)))).toMatchObject({ statusCode: -1 });
    expect(await failure(client().api(path).post(reference(people.ravi.id)))).toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('already exist') as string,
    });
    await client().api(`/groups/${groups.finance.id}/members/${people.ravi.id}/$ref`).delete();
  });

  it('is refused with tokens that are forged, expired or without the right role', async () => {
    const stranger = await generateKeyPair('RS256');
    const read = (token: () => Promise<string>) => failure(client(token).api(`/groups/${groups.design.id}`).get());
    expect(await read(() => sign({}, '5m', stranger.privateKey))).toMatchObject({
      statusCode: 401,
      code: 'InvalidAuthenticationToken',
    });
    expect(await read(() => sign({}, '-5m'))).toMatchObject({
      statusCode: 401,
      message: 'Lifetime validation failed, the token is expired.',
    });
    expect(await read(() => sign({ roles: ['User.Read.All'] }))).toMatchObject({
      statusCode: 403,
      code: 'Authorization_RequestDenied',
    });
    expect(new errors.JWTExpired('x', {}).code).toBe('ERR_JWT_EXPIRED');
  });

  it('creates a group once by its alternate key, changes it, deletes it and takes it back', async () => {
    const writer = client(() => sign({ roles: ['Group.ReadWrite.All', 'User.Read.All'] }));
    const key = `/groups(uniqueName='golf')`;
    const body = {
      displayName: 'Golf',
      mailNickname: 'golf',
      mailEnabled: true,
      securityEnabled: false,
      groupTypes: ['Unified'],
    };
    const upsert = (change: object): Promise<unknown> =>
      writer
        .api(key)
        .header('Prefer', 'create-if-missing')
        .patch({ ...body, ...change }) as Promise<unknown>;
    const bound = { 'owners@odata.bind': [`https://graph.microsoft.com/v1.0/users/${people.rita.id}`] };
    const { id } = z.object({ id: z.string() }).parse(await upsert(bound));
    await upsert({ displayName: 'Golf again' });
    expect(await writer.api(key).select('id,displayName').get()).toMatchObject({ id, displayName: 'Golf again' });

    const taken = await failure(writer.api('/groups').post(body));
    expect(taken).toMatchObject({ statusCode: 400, code: 'Request_BadRequest' });
    const { details } = z
      .object({ details: z.array(z.object({ code: z.string(), target: z.string() })) })
      .parse(JSON.parse(z.string().parse(taken.body)));
    expect(details).toEqual([{ code: 'ObjectConflict', target: 'mailNickname' }]);

    await writer.api(`/groups/${id}`).delete();
    expect(await failure(writer.api(key).get())).toMatchObject({ statusCode: 404 });
    expect(await writer.api(`/directory/deletedItems/${id}/restore`).post({})).toMatchObject({ id });
    expect(await writer.api(`/groups/${id}/owners`).select('id').get()).toMatchObject({
      value: [{ id: people.rita.id }],
    });
  });

  it('follows a delta link to what changed since', async () => {
    const reader = client(() => sign({ roles: ['Group.ReadWrite.All'] }));
    const linked = z.object({ '@odata.deltaLink': z.string(), value: z.array(z.object({ id: z.string() })) });
    const first = linked.parse(await reader.api('/groups/delta').select('displayName').top(999).get());
    await reader.api(`/groups/${groups.legalHold.id}`).patch({ description: 'Changed' });
    const second = linked.parse(await reader.api(first['@odata.deltaLink']).get());
    expect(second.value.map(({ id }) => id)).toEqual([groups.legalHold.id]);
  });

  it('runs a batch', async () => {
    const content = new BatchRequestContent([
      { id: 'a', request: new Request(`${graphOrigin}/groups/${groups.design.id}?$select=id`) },
      { id: 'b', request: new Request(`${graphOrigin}/users/${people.rita.id}/manager?$select=id`) },
    ]);
    const answer = (await client()
      .api('/$batch')
      .post(await content.getContent())) as ConstructorParameters<typeof BatchResponseContent>[0];
    const responses = new BatchResponseContent(answer);
    expect(await responses.getResponseById('a').json()).toMatchObject({ id: groups.design.id });
    expect(await responses.getResponseById('b').json()).toMatchObject({ id: people.mona.id });
  });
});

describe('the state of the directory', () => {
  it('is there again after a restart, and is not seeded over', async () => {
    await client().api(`/groups/${groups.research.id}/members/$ref`).post(reference(people.rita.id));
    await fetch(`${siteOrigin}/admin/changes`, {
      method: 'POST',
      body: JSON.stringify([{ type: 'patchUser', id: people.zoe.id, patch: { accountEnabled: false } }]),
    });
    await fetch(`${siteOrigin}/admin/settings`, { method: 'PUT', body: '{"pageSize":7}' });
    directory.close();
    directory = open();
    const page = z
      .object({ value: z.array(z.object({ id: z.string() })) })
      .parse(await client().api(`/groups/${groups.research.id}/members`).get());
    expect(page.value.map(({ id }) => id)).toContain(people.rita.id);
    expect(await client().api(`/users/${people.zoe.id}`).select('accountEnabled').get()).toMatchObject({
      accountEnabled: false,
    });
    expect(directory.store.settings().pageSize).toBe(7);
  });
});

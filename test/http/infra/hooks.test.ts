import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

import { ROLES } from '../../../shared/web/tokens';
import { addPrincipal, EVENT_GRID_APP_ID, rolesOf, startGraph, TOKEN } from './entra-graph';
import type { ServicePrincipal, TestGraph } from './entra-graph';
import { fakeAzd, runScript } from './script';
import type { Ended, FakeAzd } from './script';

const ISSUER = 'https://login.microsoftonline.com/7e9a0000-0000-4000-8000-000000000001/v2.0';
const REDIRECT = 'https://func-gatehouse-dev.azurewebsites.net/.auth/login/aad/callback';
const FEATURES = ['GroupMember.ReadWrite.All', 'User.Read.All', 'Member.Read.Hidden', 'Group.ReadWrite.All'];
const REST = ['GroupSettings.Read.All', 'Group-OnPremisesSyncBehavior.ReadWrite.All'];

let graph: TestGraph;
let identity: ServicePrincipal;
let azd: FakeAzd;

beforeEach(async () => {
  graph = await startGraph([...FEATURES, ...REST]);
  identity = addPrincipal(graph);
  azd = fakeAzd();
});
afterEach(async () => {
  azd.remove();
  await graph.close();
});

const variables = (): Record<string, string> => ({
  PATH: azd.path,
  GRAPH_ENDPOINT: graph.url,
  GATEHOUSE_GRAPH_TOKEN: TOKEN,
  AZURE_ENV_NAME: 'dev',
  GATEHOUSE_OPERATIONS_EMAILS: 'operations@contoso.example',
  GATEHOUSE_RUNBOOK_URL: 'https://contoso.example/operations.md',
  identityPrincipalId: identity.id,
  federatedCredentialIssuer: ISSUER,
  signInRedirectUri: REDIRECT,
});
const preprovision = (args: string[] = [], env: Record<string, string> = {}): Promise<Ended> =>
  runScript('hooks/preprovision.mjs', args, { ...variables(), ...env });
const postprovision = (args: string[] = [], env: Record<string, string> = {}): Promise<Ended> =>
  runScript('hooks/postprovision.mjs', args, { ...variables(), ...env });

interface Registered {
  appId: string;
  identifierUris: string[];
  signInAudience: string;
  appRoles: { id: string; value: string; allowedMemberTypes: string[] }[];
  api: {
    requestedAccessTokenVersion: number;
    oauth2PermissionScopes: { id: string; value: string }[];
    preAuthorizedApplications: { appId: string; delegatedPermissionIds: string[] }[];
  };
  web: { redirectUris: string[]; implicitGrantSettings: { enableIdTokenIssuance: boolean } };
  optionalClaims: { accessToken: { name: string }[] };
  federated: { issuer: string; subject: string; audiences: string[] }[];
}
const registered = (): Registered => graph.applications[0] as unknown as Registered;

describe('preprovision', () => {
  test('registers the app with everything that its code checks, and keeps the client id', async () => {
    // Graph has made it, but not everywhere yet
    graph.stale = 1;
    const { code, output, errors } = await preprovision();
    expect([code, errors]).toEqual([0, '']);
    const app = registered();
    expect(app.appRoles.map(({ value }) => value)).toEqual(
      expect.arrayContaining([...Object.values(ROLES), 'Audit.Read']),
    );
    expect(app.appRoles).toHaveLength(5);
    expect(app.appRoles.find(({ value }) => value === ROLES.submit)?.allowedMemberTypes).toEqual(['Application']);
    expect(app.api).toMatchObject({
      requestedAccessTokenVersion: 2,
      oauth2PermissionScopes: [{ value: 'access_as_user' }],
    });
    expect(app.api.preAuthorizedApplications[0]?.delegatedPermissionIds).toEqual([
      app.api.oauth2PermissionScopes[0]?.id,
    ]);
    expect(app).toMatchObject({
      identifierUris: [`api://${app.appId}`],
      signInAudience: 'AzureADMyOrg',
      web: { implicitGrantSettings: { enableIdTokenIssuance: true } },
      optionalClaims: { accessToken: [{ name: 'idtyp' }] },
    });
    expect(graph.consents).toMatchObject([{ consentType: 'AllPrincipals', scope: 'email openid profile' }]);
    expect(azd.remembered()).toEqual([['GATEHOUSE_API_CLIENT_ID', app.appId]]);
    expect(output).toContain('To undo: node infra/hooks/preprovision.mjs --undo');
  });

  test('a repeat changes nothing', async () => {
    await preprovision();
    const writes = graph.writes.length;
    const { code, output } = await preprovision();
    expect(code).toBe(0);
    expect(graph.writes).toHaveLength(writes);
    expect(output).not.toContain('set:');
  });

  test('mends what somebody took away, and leaves what they added', async () => {
    await preprovision();
    const app = registered();
    const mine = { id: randomUUID(), value: 'Their.Role', allowedMemberTypes: ['User'] };
    const kept = app.appRoles.find(({ value }) => value === ROLES.policy)?.id;
    app.appRoles = [mine, ...app.appRoles.filter(({ value }) => value !== ROLES.operations)];
    app.identifierUris.push('api://contoso/gatehouse');
    app.api.requestedAccessTokenVersion = 1;
    const { code } = await preprovision();
    expect(code).toBe(0);
    expect(app.appRoles.map(({ value }) => value)).toEqual(expect.arrayContaining(['Their.Role', ROLES.operations]));
    expect(app.appRoles.find(({ value }) => value === ROLES.policy)?.id).toBe(kept);
    expect(app.identifierUris).toEqual([`api://${app.appId}`, 'api://contoso/gatehouse']);
    expect(app.api.requestedAccessTokenVersion).toBe(2);
  });

  test('a dry run tells and changes nothing', async () => {
    const { code, output } = await preprovision(['--dry-run']);
    expect([code, graph.writes, azd.remembered()]).toEqual([0, [], []]);
    expect(output).toContain('app registration gatehouse-dev: would be made');
  });

  test('undo deletes the registration and forgets its id; twice is once', async () => {
    await preprovision();
    expect((await preprovision(['--undo', '--dry-run'])).output).toContain('would be deleted');
    expect(graph.applications).toHaveLength(1);
    expect((await preprovision(['--undo'])).code).toBe(0);
    expect(graph.applications).toEqual([]);
    expect(azd.remembered().at(-1)).toEqual(['GATEHOUSE_API_CLIENT_ID', '']);
    expect((await preprovision(['--undo'])).output).toContain('there is none');
  });

  test('names every value that is missing, before anything is made', async () => {
    const { code, errors } = await preprovision([], { GATEHOUSE_OPERATIONS_EMAILS: '', GATEHOUSE_RUNBOOK_URL: '' });
    expect(code).toBe(1);
    expect(errors).toContain('azd env set GATEHOUSE_OPERATIONS_EMAILS');
    expect(errors).toContain('azd env set GATEHOUSE_RUNBOOK_URL');
    expect(graph.writes).toEqual([]);
  });

  test('run by hand, it asks azd for the environment', async () => {
    azd.remove();
    azd = fakeAzd({
      AZURE_ENV_NAME: 'test',
      GATEHOUSE_OPERATIONS_EMAILS: 'a@contoso.example',
      GATEHOUSE_RUNBOOK_URL: 'https://contoso.example/$x!`',
      GATEHOUSE_BUDGET: '100',
    });
    const { PATH, GRAPH_ENDPOINT, GATEHOUSE_GRAPH_TOKEN } = variables();
    const { code } = await runScript('hooks/preprovision.mjs', [], {
      PATH: PATH ?? '',
      GRAPH_ENDPOINT: GRAPH_ENDPOINT ?? '',
      GATEHOUSE_GRAPH_TOKEN: GATEHOUSE_GRAPH_TOKEN ?? '',
    });
    expect(code).toBe(0);
    expect(graph.applications[0]?.uniqueName).toBe('gatehouse-test');
  });
});

describe('postprovision', () => {
  const eventGrid = (): string | undefined => graph.principals.find(({ appId }) => appId === EVENT_GRID_APP_ID)?.id;
  beforeEach(() => preprovision());

  test('joins registration and infrastructure', async () => {
    const { code, errors } = await postprovision([], { GATEHOUSE_PUBLIC_BASE_URL: 'https://groups.contoso.example/' });
    expect([code, errors]).toEqual([0, '']);
    const app = registered();
    expect(app.web.redirectUris).toEqual([REDIRECT, 'https://groups.contoso.example/.auth/login/aad/callback']);
    expect(app.web.implicitGrantSettings.enableIdTokenIssuance).toBe(true);
    expect(app.federated).toMatchObject([
      { issuer: ISSUER, subject: identity.id, audiences: ['api://AzureADTokenExchange'] },
    ]);
    expect(rolesOf(graph, identity.id)).toEqual(['GroupMember.ReadWrite.All', 'User.Read.All']);
    expect(rolesOf(graph, eventGrid(), app.appId)).toEqual([ROLES.mailEvents]);
    expect(rolesOf(graph, graph.me, app.appId)).toEqual([ROLES.mailEvents, ROLES.operations, ROLES.policy]);
  });

  test('a repeat changes nothing', async () => {
    await postprovision();
    const writes = graph.writes.length;
    expect((await postprovision()).code).toBe(0);
    expect(graph.writes).toHaveLength(writes);
  });

  test('another identity, as after a new deployment, replaces the old one in the credential', async () => {
    await postprovision();
    identity = addPrincipal(graph);
    expect((await postprovision()).code).toBe(0);
    expect(registered().federated).toMatchObject([{ subject: identity.id }]);
  });

  test('gives what the chosen features need', async () => {
    await postprovision([], { GATEHOUSE_GRAPH_FEATURES: 'join, own-groups' });
    expect(rolesOf(graph, identity.id)).toContain('Group.ReadWrite.All');
  });

  test('outputs are found in whatever case azd keeps them', async () => {
    const { identityPrincipalId = '', federatedCredentialIssuer = '', signInRedirectUri = '', ...rest } = variables();
    const { code } = await runScript('hooks/postprovision.mjs', [], {
      ...rest,
      IDENTITYPRINCIPALID: identityPrincipalId,
      FederatedCredentialIssuer: federatedCredentialIssuer,
      SIGNINREDIRECTURI: signInRedirectUri,
    });
    expect(code).toBe(0);
  });

  test('a pipeline says who it is', async () => {
    graph.me = undefined;
    const unknown = await postprovision();
    expect([unknown.code, unknown.errors]).toEqual([1, expect.stringContaining('GATEHOUSE_DEPLOYER_OBJECT_ID')]);
    const pipeline = addPrincipal(graph, 'Application');
    expect((await postprovision([], { GATEHOUSE_DEPLOYER_OBJECT_ID: pipeline.id })).code).toBe(0);
    expect(rolesOf(graph, pipeline.id, registered().appId)).toEqual([ROLES.mailEvents, ROLES.operations, ROLES.policy]);
  });

  test('a dry run changes nothing', async () => {
    const writes = graph.writes.length;
    const { code, output } = await postprovision(['--dry-run']);
    expect([code, graph.writes.length]).toEqual([0, writes]);
    expect(output).toContain('GroupMember.ReadWrite.All: would be given');
  });

  test('undo leaves nothing that lets the app in or Event Grid through', async () => {
    await postprovision([], { GATEHOUSE_GRAPH_FEATURES: 'join,hidden' });
    expect((await postprovision(['--undo'])).code).toBe(0);
    expect(registered().federated).toEqual([]);
    expect(registered().web.redirectUris).toEqual([]);
    expect(rolesOf(graph, identity.id)).toEqual([]);
    expect(rolesOf(graph, eventGrid(), registered().appId)).toEqual([]);
    expect(rolesOf(graph, graph.me, registered().appId)).toEqual([ROLES.operations, ROLES.policy]);
  });

  test('without a registration it says what to run', async () => {
    await preprovision(['--undo']);
    const { code, errors } = await postprovision();
    expect([code, errors]).toEqual([1, 'There is no app registration: run node infra/hooks/preprovision.mjs\n']);
  });
});

describe('postdeploy', () => {
  interface Site {
    url: string;
    /** Answers of the health door, in turn; the last one stays. */
    health: number[];
    stored: unknown;
    refuse: { status: 400 | 403; body: Record<string, unknown> } | undefined;
    close: () => Promise<void>;
  }
  let site: Site;
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'));
    file = join(folder, 'policy.json');
    writeFileSync(file, '{"optedIn":true}');
    const app = new Hono();
    app.get('/api/health', (c) => {
      const status = site.health.length > 1 ? site.health.shift() : site.health[0];
      return c.json({}, (status ?? 200) as 200);
    });
    app.put('/api/policies/default', async (c) => {
      if (c.req.header('authorization') !== 'Bearer for-gatehouse') return c.json({ title: 'Sign in' }, 401);
      if (site.refuse !== undefined) return c.json(site.refuse.body, site.refuse.status);
      if (c.req.header('if-none-match') === '*' && site.stored !== undefined) return c.json({}, 412);
      site.stored = await c.req.json();
      return c.json({});
    });
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
    await new Promise<void>((done) => server.once('listening', () => done()));
    site = {
      url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
      health: [200],
      stored: undefined,
      refuse: undefined,
      close: () => new Promise((done) => server.close(() => done())),
    };
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true, force: true });
    await site.close();
  });

  const postdeploy = (args: string[] = [], env: Record<string, string> = {}): Promise<Ended> =>
    runScript('hooks/postdeploy.mjs', args, {
      ...variables(),
      GATEHOUSE_APP_URL: site.url,
      GATEHOUSE_API_TOKEN: 'for-gatehouse',
      GATEHOUSE_API_CLIENT_ID: randomUUID(),
      GATEHOUSE_FIRST_POLICY: file,
      GATEHOUSE_PATIENCE_MS: '2000',
      ...env,
    });

  test('waits for the app, writes the first policy, and prepares delivery reports', async () => {
    site.health = [503, 404, 200];
    const { code, output, errors } = await postdeploy();
    expect([code, errors]).toEqual([0, '']);
    expect(site.stored).toEqual({ optedIn: true });
    expect(azd.remembered()).toEqual([['GATEHOUSE_MAIL_DELIVERY_REPORTS', 'true']]);
    expect(output).toContain('run "azd provision" once more');
  });

  test('never touches a policy that is there, and says so', async () => {
    site.stored = { optedIn: false };
    const { code, output } = await postdeploy([], { GATEHOUSE_MAIL_DELIVERY_REPORTS: 'true' });
    expect(code).toBe(0);
    expect(site.stored).toEqual({ optedIn: false });
    expect(output).toContain('there is one already');
    expect(output).toContain('mail delivery reports: on');
    expect(azd.remembered()).toEqual([]);
  });

  test('an app that does not come up is told, with where to look', async () => {
    site.health = [503];
    const { code, errors } = await postdeploy([], { GATEHOUSE_PATIENCE_MS: '100' });
    expect(code).toBe(1);
    expect(errors).toContain('/api/health does not answer as it should (status 503)');
    expect(site.stored).toBeUndefined();
    expect(azd.remembered()).toEqual([]);
  });

  test('what the app says against a policy is passed on', async () => {
    site.refuse = {
      status: 400,
      body: { title: 'Not valid', detail: 'See errors.', errors: [{ pointer: '/stages', detail: 'At most three.' }] },
    };
    expect((await postdeploy()).errors).toContain('/stages: At most three.');
    site.refuse = { status: 403, body: { title: 'Forbidden' } };
    expect((await postdeploy()).errors).toContain('a token from before does not have it yet');
  });

  test('no policy is written where none is given; an unreadable one stops it', async () => {
    expect((await postdeploy([], { GATEHOUSE_FIRST_POLICY: '' })).output).toContain('first policy: none given');
    writeFileSync(file, '{');
    const { code, errors } = await postdeploy();
    expect([code, errors]).toEqual([1, expect.stringContaining('no readable JSON')]);
    expect(site.stored).toBeUndefined();
  });

  test('a dry run calls nobody; undo turns delivery reports off for the next time', async () => {
    site.health = [503];
    expect((await postdeploy(['--dry-run'])).code).toBe(0);
    expect([site.stored, azd.remembered()]).toEqual([undefined, []]);
    expect((await postdeploy(['--undo'])).code).toBe(0);
    expect(azd.remembered()).toEqual([['GATEHOUSE_MAIL_DELIVERY_REPORTS', 'false']]);
  });
});

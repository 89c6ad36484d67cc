import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { eventGrid, tenant } from '../../../local/demo-tenant';
import { MAIL_SENDER } from '../../../local/stack/settings';
import { startStack } from '../../../local/stack/stack';
import type { Stack } from '../../../local/stack/stack';

interface Call {
  type: string | undefined;
  token: string;
  event: { eventType: string; data: Record<string, unknown> };
}

/** Stands where the Functions host would: it has no route for the reports until `ready`. */
async function standIn() {
  const calls: Call[] = [];
  const waiting: (() => void)[] = [];
  const state = { ready: false };
  const app = new Hono().post('/api/hooks/mail-delivery', async (c) => {
    const type = c.req.header('aeg-event-type');
    const [event] = await c.req.json<[Call['event']]>();
    calls.push({ type, token: (c.req.header('authorization') ?? '').replace(/^Bearer /, ''), event });
    for (const wake of waiting.splice(0)) wake();
    if (!state.ready) return c.notFound();
    return c.json(type === 'SubscriptionValidation' ? { validationResponse: event.data['validationCode'] } : {});
  });
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  await once(server, 'listening');
  return {
    state,
    port: (server.address() as AddressInfo).port,
    until: async (enough: (calls: Call[]) => boolean): Promise<Call[]> => {
      while (!enough(calls)) await new Promise<void>((done) => waiting.push(done));
      return calls;
    },
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

async function mailToken({ settings }: Stack): Promise<string> {
  const { IDENTITY_ENDPOINT = '', IDENTITY_HEADER = '', AZURE_CLIENT_ID = '' } = settings;
  const query = new URLSearchParams({
    'api-version': '2019-08-01',
    resource: 'https://communication.azure.com/',
    client_id: AZURE_CLIENT_ID,
  });
  const answer = await fetch(`${IDENTITY_ENDPOINT}?${query.toString()}`, {
    headers: { 'x-identity-header': IDENTITY_HEADER },
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** Sends a mail as the app does, and gives the status. */
async function send(stack: Stack, operationId: string, address: string): Promise<number | undefined> {
  const call = request(`${stack.urls.mailHttps}/emails:send?api-version=2025-09-01`, {
    method: 'POST',
    ca: stack.tls.ca,
    agent: false,
    headers: {
      authorization: `Bearer ${await mailToken(stack)}`,
      'content-type': 'application/json',
      'operation-id': operationId,
    },
  });
  call.end(
    JSON.stringify({
      senderAddress: MAIL_SENDER,
      content: { subject: 'A mail', plainText: 'Text.' },
      recipients: { to: [{ address }] },
    }),
  );
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

describe.each([
  ['in one process', false],
  ['with the mail service in a process of its own', true],
])('the reports of a stack %s', (_how, separate) => {
  let hook: Awaited<ReturnType<typeof standIn>>;
  let stack: Stack;
  const logged: string[] = [];

  beforeAll(async () => {
    hook = await standIn();
    stack = await startStack({
      host: false,
      hostPort: hook.port,
      separate,
      onLog: (_part, line) => logged.push(line),
    });
  });
  afterAll(async () => {
    await stack.stop();
    await hook.close();
  });

  it('wait for the app to have a route, then reach it through the front door with a token of Event Grid', async () => {
    const operationId = crypto.randomUUID();
    await fetch(`${stack.urls.mail}/admin/recipients/gone@contoso.example`, {
      method: 'PUT',
      body: '{"outcome":"bounced"}',
    });
    expect(await send(stack, operationId, 'gone@contoso.example')).toBe(202);
    await hook.until((calls) => calls.length === 2);
    hook.state.ready = true;
    const calls = await hook.until((all) => all.some(({ type }) => type === 'Notification'));
    const report = calls.find(({ type }) => type === 'Notification');
    expect(report?.event).toMatchObject({
      eventType: 'Microsoft.Communication.EmailDeliveryReportReceived',
      data: { messageId: operationId, recipient: 'gone@contoso.example', status: 'Bounced', sender: MAIL_SENDER },
    });
    expect(logged.filter((line) => line.startsWith('Delivery reports wait'))).toEqual([
      `Delivery reports wait: ${stack.urls.frontDoor}/api/hooks/mail-delivery did not pass the subscription validation (404).`,
    ]);

    const keys = await fetch(`${stack.urls.entra}/${tenant.id}/discovery/v2.0/keys`);
    const { payload } = await jwtVerify(report?.token ?? '', createLocalJWKSet((await keys.json()) as JSONWebKeySet), {
      audience: tenant.apiClientId,
      issuer: `${stack.urls.entraHttps}/${tenant.id}/v2.0`,
    });
    expect(payload).toMatchObject({
      azp: eventGrid.clientId,
      oid: eventGrid.objectId,
      tid: tenant.id,
      roles: ['AzureEventGridSecureWebhookSubscriber'],
      idtyp: 'app',
    });
    expect(payload).not.toHaveProperty('scp');
  });
});

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Mail } from '../../../local/mail/mail';
import { admin, callerOf, createIssuer, letter, openMail } from '../../unit/local/mail/harness';
import type { Issuer } from '../../unit/local/mail/harness';

interface Event {
  id: string;
  eventType: string;
  subject: string;
  data: Record<string, unknown>;
}
interface Call {
  type: string | undefined;
  authorization: string | undefined;
  event: Event;
}

/** A webhook that keeps what it is sent; `answers` are the statuses of the next notifications, then 200. */
async function webhook(answers: number[] = [], validates = true) {
  const calls: Call[] = [];
  const waiting: (() => void)[] = [];
  const app = new Hono().post('/hook', async (c) => {
    const [event] = await c.req.json<[Event]>();
    const type = c.req.header('aeg-event-type');
    calls.push({ type, authorization: c.req.header('authorization'), event });
    for (const wake of waiting.splice(0)) wake();
    if (type === 'SubscriptionValidation') {
      return c.json({ validationResponse: validates ? event.data['validationCode'] : 'wrong' });
    }
    return c.body(null, (answers.shift() ?? 200) as 200);
  });
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  await once(server, 'listening');
  const until = async (enough: (calls: Call[]) => boolean): Promise<Call[]> => {
    while (!enough(calls)) await new Promise<void>((done) => waiting.push(done));
    return calls;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    calls,
    until,
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}
type Webhook = Awaited<ReturnType<typeof webhook>>;

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-reports-'));
const opened: { close: () => Promise<void> }[] = [];
let issuer: Issuer;

beforeAll(async () => {
  issuer = await createIssuer();
});
afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

function open(url: () => string, state = ':memory:', attempts = 30): Mail {
  const mail = openMail(issuer, {
    state,
    deliveryEvents: {
      url,
      token: () => Promise.resolve('event-grid-token'),
      retry: { firstMs: 5, maxMs: 20, attempts },
    },
  });
  opened.push(mail);
  return mail;
}
const hooked = async (...args: Parameters<typeof webhook>): Promise<Webhook> => {
  const hook = await webhook(...args);
  opened.push(hook);
  return hook;
};
const notifications = (calls: Call[]) => calls.filter(({ type }) => type === 'Notification');
const to = (...addresses: string[]) => letter({ recipients: { to: addresses.map((address) => ({ address })) } });
const events = async (mail: Mail) =>
  (await (await admin(mail, 'GET', 'events')).json()) as {
    pending: unknown[];
    dropped: Event[];
    problem: string | null;
  };

describe('delivery reports', () => {
  it('go out for each recipient after one handshake, in the schema of Event Grid, with a token', async () => {
    const hook = await hooked();
    const mail = open(() => hook.url);
    await admin(mail, 'PUT', 'settings', { failRecipients: [{ pattern: '^gone', outcome: 'bounced' }] });
    const caller = await callerOf(mail, issuer);
    const id = crypto.randomUUID();
    await caller.send(to('here@contoso.example', 'gone@contoso.example'), { operationId: id });
    await caller.send(to('here@contoso.example'));
    const calls = await hook.until((all) => notifications(all).length === 3);

    expect(calls.map(({ type }) => type)).toEqual(['SubscriptionValidation', ...Array<string>(3).fill('Notification')]);
    expect(calls.every(({ authorization }) => authorization === 'Bearer event-grid-token')).toBe(true);
    const [delivered, bounced] = notifications(calls).map(({ event }) => event);
    expect(delivered).toMatchObject({
      eventType: 'Microsoft.Communication.EmailDeliveryReportReceived',
      subject: `sender/gatehouse@contoso.example/message/${id}`,
      data: {
        sender: 'gatehouse@contoso.example',
        recipient: 'here@contoso.example',
        messageId: id,
        status: 'Delivered',
      },
    });
    expect(bounced?.data).toMatchObject({ recipient: 'gone@contoso.example', status: 'Bounced' });
    expect(Date.parse(String(bounced?.data['deliveryAttemptTimestamp']))).toBeLessThanOrEqual(Date.now());
  });

  it('come again, with the same id, until the webhook takes them', async () => {
    const hook = await hooked([500, 401, 503]);
    const mail = open(() => hook.url);
    await (await callerOf(mail, issuer)).send(to('here@contoso.example'));
    const calls = notifications(await hook.until((all) => notifications(all).length === 4));
    expect(new Set(calls.map(({ event }) => event.id)).size).toBe(1);
    await mail.close();
    expect(hook.calls).toHaveLength(5);
  });

  it('are kept while nothing listens and go out after the next start', async () => {
    const state = join(folder, 'kept.db');
    const nowhere = open(() => 'http://127.0.0.1:1/hook', state);
    await (await callerOf(nowhere, issuer)).send(to('here@contoso.example'));
    await nowhere.close();

    const hook = await hooked();
    const next = open(() => hook.url, state);
    const [call] = notifications(await hook.until((all) => notifications(all).length === 1));
    expect(call?.event.data['recipient']).toBe('here@contoso.example');
    await next.close();
  });

  it('do not go to a webhook that fails the handshake', async () => {
    const hook = await hooked([], false);
    const mail = open(() => hook.url);
    await (await callerOf(mail, issuer)).send(to('here@contoso.example'));
    await hook.until((all) => all.length === 3);
    expect(notifications(hook.calls)).toEqual([]);
    const { pending, problem } = await events(mail);
    expect(pending).toHaveLength(1);
    expect(problem).toContain('subscription validation');
  });

  it('are dropped, and kept to look at, after the last attempt or a 400', async () => {
    const hook = await hooked([500, 500, 400]);
    const mail = open(() => hook.url, ':memory:', 2);
    const caller = await callerOf(mail, issuer);
    await caller.send(to('tried@contoso.example'));
    await hook.until((all) => notifications(all).length === 2);
    await caller.send(to('refused@contoso.example'));
    await caller.send(to('taken@contoso.example'));
    await hook.until((all) => notifications(all).length === 4);
    const { dropped } = await events(mail);
    expect(dropped.map(({ data }) => data['recipient'])).toEqual(['tried@contoso.example', 'refused@contoso.example']);
  });

  it('are not made for a mail that was never sent', async () => {
    const hook = await hooked();
    const mail = open(() => hook.url);
    await admin(mail, 'PUT', 'settings', { failRecipients: [{ pattern: '^never', outcome: 'operation-failed' }] });
    const caller = await callerOf(mail, issuer);
    await caller.send(to('never@contoso.example'));
    await caller.send(to('here@contoso.example'));
    const calls = notifications(await hook.until((all) => notifications(all).length === 1));
    expect(calls.map(({ event }) => event.data['recipient'])).toEqual(['here@contoso.example']);
  });
});

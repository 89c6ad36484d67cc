import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { RetryPolicy } from '../../../local/mail/delivery-reports';
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
  attempt: string | undefined;
  /** By the clock that `Date` shows. */
  at: number;
  authorization: string | undefined;
  event: Event;
}

/** A webhook that keeps what it is sent; `answers` are the statuses of the next notifications, then 200. */
async function webhook(answers: number[] = [], validates: () => boolean = () => true) {
  const calls: Call[] = [];
  const waiting: (() => void)[] = [];
  const app = new Hono().post('/hook', async (c) => {
    const [event] = await c.req.json<[Event]>();
    const type = c.req.header('aeg-event-type');
    const attempt = c.req.header('aeg-delivery-count');
    calls.push({ type, attempt, at: Date.now(), authorization: c.req.header('authorization'), event });
    for (const wake of waiting.splice(0)) wake();
    if (type === 'SubscriptionValidation') {
      return c.json({ validationResponse: validates() ? event.data['validationCode'] : 'wrong' });
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
  jest.useRealTimers();
});
afterAll(() => rmSync(folder, { recursive: true }));

const quick: RetryPolicy = { delaysMs: [5, 10, 20], atLeastMs: {}, attempts: 30, lifetimeMs: 24 * 3_600_000 };

interface Options {
  state?: string;
  /** Event Grid's own with `undefined`. */
  retry?: RetryPolicy | undefined;
  log?: (line: string) => void;
}

function open(url: () => string, options: Options = {}): Mail {
  const { state = ':memory:', log } = options;
  const mail = openMail(issuer, {
    state,
    deliveryEvents: {
      url,
      token: () => Promise.resolve('event-grid-token'),
      retry: 'retry' in options ? options.retry : quick,
      handshake: { firstMs: 5, maxMs: 20 },
      log,
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
interface Told {
  pending: { attempts: number }[];
  dropped: Event[];
  problem: string | null;
}
const events = async (mail: Mail) => (await (await admin(mail, 'GET', 'events')).json()) as Told;

/** What the service tells of its events once that is `enough`. */
async function told(mail: Mail, enough: (all: Told) => boolean): Promise<Told> {
  for (;;) {
    const all = await events(mail);
    if (enough(all)) return all;
    // In process a call ends without a turn of the event loop, which the service's timer needs.
    await new Promise((done) => setImmediate(done));
  }
}

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
    const hook = await hooked([500, 404, 503]);
    const mail = open(() => hook.url);
    await (await callerOf(mail, issuer)).send(to('here@contoso.example'));
    const calls = notifications(await hook.until((all) => notifications(all).length === 4));
    expect(new Set(calls.map(({ event }) => event.id)).size).toBe(1);
    expect(calls.map(({ attempt }) => attempt)).toEqual(['0', '1', '2', '3']);
    await mail.close();
    expect(hook.calls).toHaveLength(5);
  });

  it('are kept while nothing listens and go out after the next start', async () => {
    const state = join(folder, 'kept.db');
    const nowhere = open(() => 'http://127.0.0.1:1/hook', { state });
    await (await callerOf(nowhere, issuer)).send(to('here@contoso.example'));
    await nowhere.close();

    const hook = await hooked();
    const next = open(() => hook.url, { state });
    const [call] = notifications(await hook.until((all) => notifications(all).length === 1));
    expect(call?.event.data['recipient']).toBe('here@contoso.example');
    await next.close();
  });

  it('wait while the webhook fails the handshake, with one line, and go out once it passes', async () => {
    let ready = false;
    const hook = await hooked([], () => ready);
    const lines: string[] = [];
    const mail = open(() => hook.url, { log: (line) => lines.push(line) });
    await (await callerOf(mail, issuer)).send(to('here@contoso.example'));
    await hook.until((all) => all.length === 4);
    expect(notifications(hook.calls)).toEqual([]);
    const { pending, problem } = await events(mail);
    expect(pending).toHaveLength(1);
    expect(problem).toContain('subscription validation');
    expect(lines).toEqual([`Delivery reports wait: ${hook.url} did not pass the subscription validation (200).`]);
    ready = true;
    const [call] = notifications(await hook.until((all) => notifications(all).length === 1));
    expect([call?.event.data['recipient'], call?.attempt]).toEqual(['here@contoso.example', '0']);
    expect(hook.calls.filter(({ type }) => type === 'SubscriptionValidation')).toHaveLength(hook.calls.length - 1);
  });

  it('ask for no handshake before there is a mail to report on', async () => {
    const hook = await hooked();
    const mail = open(() => hook.url);
    await mail.close();
    expect(hook.calls).toEqual([]);
  });

  it('are dropped, and kept to look at, after the last attempt or a refusal', async () => {
    const hook = await hooked([500, 500, 400, 401, 403, 413]);
    const mail = open(() => hook.url, { retry: { ...quick, attempts: 2 } });
    const caller = await callerOf(mail, issuer);
    await caller.send(to('tried@contoso.example'));
    await hook.until((all) => notifications(all).length === 2);
    const refused = ['a@contoso.example', 'b@contoso.example', 'c@contoso.example', 'd@contoso.example'];
    for (const address of refused) await caller.send(to(address));
    await caller.send(to('taken@contoso.example'));
    await hook.until((all) => notifications(all).length === 7);
    const { dropped } = await events(mail);
    expect(dropped.map(({ data }) => data['recipient'])).toEqual(['tried@contoso.example', ...refused]);
  });

  describe('on the schedule of Event Grid, by the clock of the stack', () => {
    const start = Date.parse('2026-11-24T09:00:00Z');
    const minutes = (calls: Call[]): number[] => notifications(calls).map(({ at }) => (at - start) / 60_000);
    const clock = (): void => {
      jest.useFakeTimers({
        now: start,
        doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'clearTimeout', 'queueMicrotask', 'performance'],
      });
    };
    /** Sends one mail and moves the clock to each of `moments`, in minutes; a call is due at every one of them. */
    const reportAt = async (hook: Webhook, moments: number[]): Promise<Mail> => {
      const mail = open(() => hook.url, { retry: undefined });
      await (await callerOf(mail, issuer)).send(to('here@contoso.example'));
      await hook.until((all) => notifications(all).length === 1);
      for (const [index, moment] of moments.entries()) {
        await told(mail, ({ pending }) => pending[0]?.attempts === index + 1);
        jest.setSystemTime(start + moment * 60_000);
        await hook.until((all) => notifications(all).length === index + 2);
      }
      return mail;
    };

    it('come after 10 s, 30 s, 1, 5, 10, 30 minutes, 1, 3, 6 and 12 hours', async () => {
      clock();
      const waits = [1 / 6, 1 / 2, 1, 5, 10, 30, 60, 180, 360];
      const moments = waits.map((_wait, index) => waits.slice(0, index + 1).reduce((sum, wait) => sum + wait));
      const hook = await hooked(waits.map(() => 500));
      await reportAt(hook, moments);
      minutes(hook.calls).forEach((minute, index) => expect(minute).toBeCloseTo([0, ...moments][index] ?? NaN));
    });

    it('wait five minutes after a 404, and not before', async () => {
      clock();
      const hook = await hooked([404]);
      const mail = await reportAt(hook, []);
      await told(mail, ({ pending }) => pending[0]?.attempts === 1);
      jest.setSystemTime(start + 4.9 * 60_000);
      // What is accepted now goes out at once, and what isn't due stays where it is.
      await (await callerOf(mail, issuer)).send(to('later@contoso.example'));
      const calls = notifications(await hook.until((all) => notifications(all).length === 2));
      expect(calls[1]?.event.data['recipient']).toBe('later@contoso.example');
      jest.setSystemTime(start + 5 * 60_000);
      const all = notifications(await hook.until((some) => notifications(some).length === 3));
      expect(all[2]?.event.data['recipient']).toBe('here@contoso.example');
    });

    it('are dropped after 24 hours', async () => {
      clock();
      const hook = await hooked([500]);
      const mail = await reportAt(hook, []);
      await told(mail, ({ pending }) => pending[0]?.attempts === 1);
      jest.setSystemTime(start + 24 * 60 * 60_000);
      const { dropped } = await told(mail, (all) => all.dropped.length > 0);
      expect(dropped.map(({ data }) => data['recipient'])).toEqual(['here@contoso.example']);
      expect(notifications(hook.calls)).toHaveLength(1);
    });
  });

  it('tell what was set for an address, and only for that one', async () => {
    const hook = await hooked();
    const mail = open(() => hook.url);
    const caller = await callerOf(mail, issuer);
    const set = (address: string, outcome: string) =>
      admin(mail, 'PUT', `recipients/${encodeURIComponent(address)}`, { outcome });
    expect((await set('Gone@contoso.example', 'bounced')).status).toBe(200);
    expect((await set('full@contoso.example', 'quarantined')).status).toBe(200);
    expect((await set('gone@contoso.example', 'lost')).status).toBe(400);
    const accepted = await caller.send(to('gone@contoso.example', 'full@contoso.example', 'here@contoso.example'));
    expect(accepted.status).toBe(202);
    await set('gone@contoso.example', 'delivered');
    await caller.send(to('gone@contoso.example'));
    const calls = notifications(await hook.until((all) => notifications(all).length === 4));
    expect(calls.map(({ event }) => event.data['status'])).toEqual([
      'Bounced',
      'Quarantined',
      'Delivered',
      'Delivered',
    ]);
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

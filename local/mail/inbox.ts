import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context, MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { headersOf } from './message';
import { PAGE_SECURITY, BODY_SECURITY, framedBody, inboxPage, messagePage, notFoundPage } from './pages';
import { recipientOutcomeSchema, settingsChangeSchema, withRecipient } from './settings';
import type { DeliveryStatus } from './settings';
import { deliveriesTo } from './store';
import type { MessageQuery, Store, StoredMessage } from './store';

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];
const PAGE = 50;
const MAILBOXES = 200;

type InboxEnv = { Bindings: HttpBindings };

const count = z.coerce.number().int().min(0);
const querySchema = z.object({
  to: z.string().optional(),
  since: z.coerce.date().optional(),
  after: count.optional(),
  before: count.optional(),
  limit: count.min(1).max(1000).default(100),
  wait: count.max(120_000).default(0),
});

/** Other sites' pages may neither read the inbox through a name of their own nor send it orders. */
const ownPagesOnly: MiddlewareHandler<InboxEnv> = async (c, next) => {
  const url = new URL(c.req.url);
  const origin = c.req.header('origin');
  const foreign = origin !== undefined && c.req.method !== 'GET' && origin !== url.origin;
  if (foreign || !LOCAL.includes(url.hostname)) return c.text('Open the inbox at http://localhost.', 403);
  await next();
  return undefined;
};

/** All delivered, or the first thing that went wrong; of one mailbox where one is asked for. */
function statusOf(stored: StoredMessage, to: string | undefined): DeliveryStatus {
  return deliveriesTo(stored, to).find(({ status }) => status !== 'Delivered')?.status ?? 'Delivered';
}

function view(stored: StoredMessage, to?: string) {
  const { message, deliveries } = stored;
  const addresses = (kind: 'to' | 'cc' | 'bcc'): string[] => message.recipients[kind].map(({ address }) => address);
  return {
    id: stored.id,
    sequence: stored.sequence,
    operationId: stored.operationId,
    from: message.senderAddress,
    to: addresses('to'),
    cc: addresses('cc'),
    bcc: addresses('bcc'),
    replyTo: message.replyTo.map(({ address }) => address),
    subject: message.content.subject,
    receivedAt: stored.accepted.toISOString(),
    headers: headersOf(message, stored.accepted, stored.internetMessageId),
    plainText: message.content.plainText,
    html: message.content.html,
    attachments: message.attachments.map(({ name, contentType }) => ({ name, contentType })),
    status: statusOf(stored, to),
    recipients: deliveries,
  };
}

async function jsonBody(c: Context): Promise<unknown> {
  return c.req.json<unknown>().catch(() => undefined);
}

/** The http side: the inbox as pages and as JSON, and `/admin/*`. */
export function createInbox(store: Store, reportProblem: () => string | undefined, faultsAdmin: Hono): Hono<InboxEnv> {
  const app = new Hono<InboxEnv>();
  app.use(ownPagesOnly);
  addApi(app, store);
  addAdmin(app, store, reportProblem);
  addPages(app, store);
  app.route('/', faultsAdmin);
  app.notFound((c) => c.html(notFoundPage(), 404, PAGE_SECURITY));
  return app;
}

function addApi(app: Hono<InboxEnv>, store: Store): void {
  app.get('/api/messages', async (c) => {
    const parsed = querySchema.safeParse(c.req.query());
    if (!parsed.success) return c.json({ error: z.prettifyError(parsed.error) }, 400);
    const { wait, ...query } = parsed.data;
    const seen = wait === 0 ? store.lastSequence() : (query.after ?? 0);
    const found = wait === 0 ? store.messages(query) : await store.awaitMessages(query, wait, c.req.raw.signal);
    c.header('cache-control', 'no-store');
    return c.json({ messages: found.map((stored) => view(stored, query.to)), sequence: found[0]?.sequence ?? seen });
  });
  app.get('/api/messages/:id', (c) => {
    const stored = store.message(c.req.param('id'));
    return stored ? c.json(view(stored)) : c.json({ error: 'no such message' }, 404);
  });
}

function addAdmin(app: Hono<InboxEnv>, store: Store, reportProblem: () => string | undefined): void {
  const forgetSchema = z.strictObject({ operationId: z.uuid() });
  app.post('/admin/forget', async (c) => {
    const parsed = forgetSchema.safeParse(await jsonBody(c));
    if (!parsed.success) return c.json({ error: z.prettifyError(parsed.error) }, 400);
    if (!store.forget(parsed.data.operationId.toLowerCase())) return c.json({ error: 'no such operation' }, 404);
    return c.body(null, 204);
  });
  app.get('/admin/settings', (c) => c.json(store.settings()));
  app.put('/admin/settings', async (c) => {
    const parsed = settingsChangeSchema.safeParse(await jsonBody(c));
    if (!parsed.success) return c.json({ error: z.prettifyError(parsed.error) }, 400);
    const { quota, failRecipients, forgetAfterMs } = parsed.data;
    const settings = store.settings();
    store.saveSettings({
      quota: quota === undefined ? settings.quota : quota,
      failRecipients: failRecipients ?? settings.failRecipients,
      forgetAfterMs: forgetAfterMs === undefined ? settings.forgetAfterMs : forgetAfterMs,
    });
    return c.json(store.settings());
  });
  app.put('/admin/recipients/:address', async (c) => {
    const parsed = recipientOutcomeSchema.safeParse(await jsonBody(c));
    if (!parsed.success) return c.json({ error: z.prettifyError(parsed.error) }, 400);
    store.saveSettings(withRecipient(store.settings(), c.req.param('address'), parsed.data.outcome));
    return c.json(store.settings());
  });
  app.delete('/admin/messages', (c) => {
    store.deleteMessages();
    return c.body(null, 204);
  });
  app.get('/admin/events', (c) =>
    c.json({
      pending: store.pendingEvents(),
      dropped: store.droppedEvents(),
      problem: reportProblem() ?? null,
    }),
  );
}

function addPages(app: Hono<InboxEnv>, store: Store): void {
  const around = (to: string | undefined, before: number | undefined) => {
    const query: MessageQuery = { to, before, limit: PAGE + 1 };
    const messages = store.messages(query);
    return {
      to,
      mailboxes: store.mailboxes(MAILBOXES),
      total: store.countMessages(),
      messages: messages.slice(0, PAGE),
      older: messages.length > PAGE ? messages[PAGE - 1]?.sequence : undefined,
    };
  };
  const frame = (c: Context) => {
    const before = count.optional().safeParse(c.req.query('before'));
    return around(c.req.query('to') || undefined, before.data);
  };
  app.get('/', (c) => c.html(inboxPage(frame(c)), 200, PAGE_SECURITY));
  app.get('/messages/:id', (c) => {
    const stored = store.message(c.req.param('id'));
    if (!stored) return c.notFound();
    const headers = headersOf(stored.message, stored.accepted, stored.internetMessageId);
    const shown = z.enum(['html', 'text', 'headers']).safeParse(c.req.query('view'));
    return c.html(messagePage(frame(c), { ...stored, headers, view: shown.data }), 200, PAGE_SECURITY);
  });
  app.get('/messages/:id/html', (c) => {
    const stored = store.message(c.req.param('id'));
    return stored ? c.html(framedBody(stored.message.content.html), 200, BODY_SECURITY) : c.notFound();
  });
  app.get('/messages/:id/attachments/:index', (c) => {
    const attachment = store.message(c.req.param('id'))?.message.attachments[Number(c.req.param('index'))];
    if (!attachment) return c.notFound();
    return c.body(new Uint8Array(Buffer.from(attachment.contentInBase64, 'base64')), 200, {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(attachment.name)}`,
      'x-content-type-options': 'nosniff',
    });
  });
}

import { createHash, randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context, MiddlewareHandler } from 'hono';
import { authenticate } from './authentication';
import type { Credentials } from './authentication';
import { reportsFor } from './delivery-reports';
import { ServiceError } from './errors';
import { readMessage, recipientsOf } from './message';
import type { EmailMessage } from './message';
import { outcomeFor } from './settings';
import type { Settings } from './settings';
import type { Accepted, Delivery, Failure, Operation, Store } from './store';

/** Versions of the Email API that are answered. */
export const API_VERSIONS = ['2023-03-31', '2024-07-01-preview', '2025-09-01'];

const MAX_BODY = 10 * 1024 * 1024;
const RETRY_AFTER_SECONDS = '1';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export interface AcsOptions extends Credentials {
  store: Store;
  senderDomains: readonly string[];
  acsBase: () => string;
  /** An operation is over after its second status read, or this long after it was accepted. */
  acceptDelayMs: number;
  /** Whether delivery reports are wanted. */
  reports: boolean;
  /** Called after a mail was accepted. */
  onAccepted: () => void;
}

type AcsEnv = { Bindings: HttpBindings };

function checkVersion(version: string | undefined): string {
  const supported = API_VERSIONS.join(', ');
  if (version === undefined || version === '') {
    const message = `The api-version query parameter (?api-version=) is required for all requests. The supported api-versions are '${supported}'.`;
    throw new ServiceError(400, 'MissingApiVersionParameter', message);
  }
  if (!API_VERSIONS.includes(version)) {
    const message = `Unsupported api-version '${version}'. The supported api-versions are '${supported}'.`;
    throw new ServiceError(400, 'UnsupportedApiVersionValue', message);
  }
  return version;
}

/** ACS drops a message none of whose recipients it may write to; bounces are no matter of the operation. */
function failureOf(deliveries: Delivery[]): Failure | undefined {
  if (deliveries.some(({ status }) => status === 'NotSent')) {
    return { code: 'EmailDropped', message: 'The message could not be sent.' };
  }
  if (deliveries.every(({ status }) => status === 'Suppressed')) {
    return {
      code: 'EmailDroppedAllRecipientsSuppressed',
      message: 'Message dropped because all recipients were suppressed.',
    };
  }
  return undefined;
}

function acceptable(operationId: string, hash: string, message: EmailMessage, settings: Settings): Accepted {
  const outcomes = recipientsOf(message).map((recipient): Delivery => ({
    ...recipient,
    status: outcomeFor(recipient.address, settings),
  }));
  const failure = failureOf(outcomes);
  const dropped = outcomes.some(({ status }) => status === 'NotSent');
  const deliveries = dropped ? outcomes.map((delivery): Delivery => ({ ...delivery, status: 'NotSent' })) : outcomes;
  return { operationId, hash, message, deliveries, failure };
}

/** The https side: `POST /emails:send` and `GET /emails/operations/{id}` as Azure Communication Services answers them. */
export function createAcs(options: AcsOptions, faults: MiddlewareHandler<AcsEnv>): Hono<AcsEnv> {
  const { store } = options;

  const statusOf = ({ reads, accepted, failure }: Operation): string => {
    const over = reads >= 2 || Date.now() - accepted.getTime() >= options.acceptDelayMs;
    if (over) return failure ? 'Failed' : 'Succeeded';
    return reads === 1 ? 'Running' : 'NotStarted';
  };

  const answer = (c: Context<AcsEnv>, operation: Operation, code: 200 | 202): Response => {
    const status = statusOf(operation);
    if (status !== 'Succeeded' && status !== 'Failed') c.header('retry-after', RETRY_AFTER_SECONDS);
    const error = status === 'Failed' ? operation.failure : undefined;
    return c.json({ id: operation.id, status, ...(error && { error }) }, code);
  };

  const send = (operationId: string, body: string): Operation => {
    const message = readMessage(body, options.senderDomains);
    const hash = createHash('sha256').update(JSON.stringify(message)).digest('hex');
    const known = store.operation(operationId);
    if (known) {
      if (known.hash === hash) return known;
      throw new ServiceError(409, 'Conflict', `Operation '${operationId}' was already used for another message.`);
    }
    const settings = store.settings();
    const wait = settings.quota && store.takeQuota(settings.quota);
    if (wait) {
      throw new ServiceError(429, 'TooManyRequests', 'Too many requests. Please try again later.', {
        'retry-after': String(wait),
      });
    }
    const accepted = acceptable(operationId, hash, message, settings);
    const operation = store.accept(accepted, (stored) => (options.reports ? reportsFor(stored) : []));
    options.onAccepted();
    return operation;
  };

  const app = new Hono<AcsEnv>();
  app.onError((error, c) => {
    const refusal = error instanceof ServiceError ? error : undefined;
    if (!refusal) console.error('mail service:', error);
    const code = refusal?.code ?? 'InternalServerError';
    const message = refusal?.message ?? 'An unexpected error occurred.';
    const headers = { ...refusal?.headers, 'x-ms-error-code': code };
    return c.json({ error: { code, message } }, refusal?.status ?? 500, headers);
  });
  app.notFound(() => {
    throw new ServiceError(404, 'NotFound', 'The requested resource was not found.');
  });
  app.use(faults);
  app.use(async (c, next) => {
    c.header('api-supported-versions', API_VERSIONS.join(', '));
    c.header('x-ms-request-id', randomUUID());
    const tooLarge = new ServiceError(413, 'RequestEntityTooLarge', 'The request is larger than 10 MB.');
    if (Number(c.req.header('content-length') ?? 0) > MAX_BODY) throw tooLarge;
    const body = new Uint8Array(await c.req.arrayBuffer());
    if (body.byteLength > MAX_BODY) throw tooLarge;
    const url = new URL(c.req.url);
    const call = {
      method: c.req.method,
      pathAndQuery: url.pathname + url.search,
      host: c.req.header('host') ?? url.host,
      header: (name: string) => c.req.header(name),
      body,
    };
    await authenticate(call, options);
    await next();
  });
  // A bare `/emails:send` would be read as a parameter named `send`.
  app.post('/:action{emails:send}', async (c) => {
    const version = checkVersion(c.req.query('api-version'));
    const operationId = c.req.header('operation-id') ?? randomUUID();
    if (!UUID.test(operationId)) {
      throw new ServiceError(400, 'BadRequest', "Request header validation error. See header 'Operation-Id'");
    }
    const operation = send(operationId.toLowerCase(), await c.req.text());
    const location = new URL(`/emails/operations/${operation.id}?api-version=${version}`, options.acsBase());
    c.header('operation-location', location.href);
    return answer(c, operation, 202);
  });
  app.get('/emails/operations/:id', (c) => {
    checkVersion(c.req.query('api-version'));
    const id = c.req.param('id').toLowerCase();
    const operation = store.operation(id);
    if (!operation) throw new ServiceError(404, 'NotFound', `Operation '${id}' was not found.`);
    store.countRead(id);
    return answer(c, { ...operation, reads: operation.reads + 1 }, 200);
  });
  return app;
}

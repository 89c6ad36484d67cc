import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { DeliveryStatus } from './settings';
import type { PendingEvent, Store, StoredMessage } from './store';

export interface DeliveryEvents {
  /** The webhook; asked anew before every post. */
  url: () => string;
  /** Entra token that Event Grid presents to the webhook. */
  token: () => Promise<string>;
  /** Attempts follow each other after `firstMs`, twice that and so on up to `maxMs` of real time; Event Grid gives up after 30. */
  retry?: { firstMs: number; maxMs: number; attempts: number } | undefined;
}

interface EventGridEvent {
  id: string;
  topic: string;
  subject: string;
  eventType: string;
  eventTime: string;
  data: Record<string, unknown>;
  dataVersion: string;
  metadataVersion: string;
}

const TOPIC =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/microsoft.communication/communicationservices/local';
const SUBSCRIPTION = 'DELIVERY-REPORTS';
const TIMEOUT_MS = 30_000;
/** Answers after which Event Grid doesn't try again. */
const FINAL = [400, 413];
const DEFAULT_RETRY = { firstMs: 250, maxMs: 60_000, attempts: 30 };

const DETAILS: Record<Exclude<DeliveryStatus, 'NotSent'>, string> = {
  Delivered: 'No error.',
  Bounced: '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
  Suppressed: 'The recipient is on the suppression list because of an earlier hard bounce.',
  Quarantined: 'The message was quarantined by the receiving system.',
  FilteredSpam: 'The message was identified as spam and was filtered.',
  Failed: 'The message could not be delivered.',
};

/** One delivery report per recipient, in the Event Grid schema; none where the mail was never sent. */
export function reportsFor(stored: StoredMessage): EventGridEvent[] {
  const at = stored.accepted.toISOString();
  const sender = stored.message.senderAddress;
  return stored.deliveries.flatMap(({ address, status }) => {
    if (status === 'NotSent') return [];
    return {
      id: randomUUID(),
      topic: TOPIC,
      subject: `sender/${sender}/message/${stored.operationId}`,
      eventType: 'Microsoft.Communication.EmailDeliveryReportReceived',
      eventTime: at,
      data: {
        sender,
        recipient: address,
        internetMessageId: stored.internetMessageId,
        messageId: stored.operationId,
        status,
        deliveryStatusDetails: { statusMessage: DETAILS[status] },
        deliveryAttemptTimestamp: at,
      },
      dataVersion: '1.0',
      metadataVersion: '1',
    };
  });
}

const validationAnswer = z.object({ validationResponse: z.string() });

type Outcome = 'taken' | 'failed' | 'refused';

/** Posts delivery reports to the webhook until each is taken; what is left goes out after the next start. */
export class DeliveryReports {
  private readonly retry;
  private readonly closing = new AbortController();
  private readonly due = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private problem: string | undefined;

  constructor(
    private readonly store: Store,
    private readonly events: DeliveryEvents,
  ) {
    this.retry = events.retry ?? DEFAULT_RETRY;
  }

  /** Why the last attempt failed; nothing while all is well. */
  get lastProblem(): string | undefined {
    return this.problem;
  }

  /** Sends what is due; returns at once. */
  kick(): void {
    if (this.closing.signal.aborted) return;
    if (this.running) {
      this.again = true;
      return;
    }
    this.running = this.pump().finally(() => {
      this.running = undefined;
      if (this.again) {
        this.again = false;
        this.kick();
      }
    });
  }

  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.timer);
    await this.running;
  }

  private async pump(): Promise<void> {
    clearTimeout(this.timer);
    for (const pending of this.store.pendingEvents()) {
      if (this.closing.signal.aborted) return;
      if ((this.due.get(pending.id) ?? 0) > performance.now()) continue;
      const outcome = await this.deliver(pending);
      if (this.closing.signal.aborted && outcome !== 'taken') return;
      this.record(pending, outcome);
    }
    if (this.due.size === 0 || this.closing.signal.aborted) return;
    const wait = Math.max(0, Math.min(...this.due.values()) - performance.now());
    this.timer = setTimeout(() => {
      this.kick();
    }, wait).unref();
  }

  private record({ id, attempts }: PendingEvent, outcome: Outcome): void {
    this.due.delete(id);
    if (outcome === 'taken') {
      this.store.eventTaken(id);
      return;
    }
    const drop = outcome === 'refused' || attempts + 1 >= this.retry.attempts;
    this.store.eventFailed(id, drop);
    if (drop) return;
    this.due.set(id, performance.now() + Math.min(this.retry.maxMs, this.retry.firstMs * 2 ** attempts));
  }

  private async deliver({ event, attempts }: PendingEvent): Promise<Outcome> {
    try {
      const url = this.events.url();
      if (!(await this.isValidated(url))) return 'failed';
      const { status } = await this.post(url, 'Notification', event, attempts);
      this.problem = status < 300 ? undefined : `${url} answered ${status}`;
      if (status < 300) return 'taken';
      return FINAL.includes(status) ? 'refused' : 'failed';
    } catch (error) {
      this.problem = reasonOf(error);
      return 'failed';
    }
  }

  /** The handshake with which a webhook shows that it wants these events; once for each address. */
  private async isValidated(url: string): Promise<boolean> {
    if (this.store.isValidated(url)) return true;
    const validationCode = randomUUID().toUpperCase();
    const event: EventGridEvent = {
      id: randomUUID(),
      topic: TOPIC,
      subject: '',
      eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
      eventTime: new Date().toISOString(),
      data: { validationCode },
      dataVersion: '2',
      metadataVersion: '1',
    };
    const response = await this.post(url, 'SubscriptionValidation', event, 0);
    const answer = validationAnswer.safeParse(safeJson(response.body));
    const valid = response.status === 200 && answer.success && answer.data.validationResponse === validationCode;
    if (valid) this.store.markValidated(url);
    else this.problem = `${url} did not pass the subscription validation (${response.status})`;
    return valid;
  }

  private async post(
    url: string,
    type: string,
    event: unknown,
    delivered: number,
  ): Promise<{ status: number; body: string }> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        authorization: `Bearer ${await this.events.token()}`,
        'aeg-event-type': type,
        'aeg-subscription-name': SUBSCRIPTION,
        'aeg-delivery-count': String(delivered),
        'aeg-data-version': '1.0',
        'aeg-metadata-version': '1',
      },
      body: JSON.stringify([event]),
      redirect: 'manual',
      signal: AbortSignal.any([this.closing.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    return { status: response.status, body: await response.text() };
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function safeJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { DeliveryStatus } from './settings';
import type { PendingEvent, Store, StoredMessage } from './store';

/** When an event that was not taken is tried again, by the stack's clock. */
export interface RetryPolicy {
  /** Waits between attempts; the last one goes on. */
  delaysMs: readonly number[];
  /** After these answers it waits at least so long. */
  atLeastMs: Readonly<Record<number, number>>;
  attempts: number;
  lifetimeMs: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Event Grid's schedule and limits (Azure docs, event-grid/delivery-and-retry), without its small randomisation. */
export const eventGridRetry: RetryPolicy = {
  delaysMs: [
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
  ],
  atLeastMs: { 404: 5 * MINUTE, 408: 2 * MINUTE, 503: 30 * SECOND },
  attempts: 30,
  lifetimeMs: 24 * HOUR,
};

export interface DeliveryEvents {
  /** The webhook; asked anew before every post. */
  url: () => string;
  /** Entra token that Event Grid presents to the webhook. */
  token: () => Promise<string>;
  /** Event Grid's own unless given. */
  retry?: RetryPolicy | undefined;
  /** The handshake is tried again after `firstMs`, twice that and so on up to `maxMs` of real time. */
  handshake?: { firstMs: number; maxMs: number } | undefined;
  /** Told in one line why reports are not taken, once until one is. */
  log?: ((line: string) => void) | undefined;
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
/** Answers of a webhook after which Event Grid doesn't try again. */
const FINAL = [400, 401, 403, 413];
const HANDSHAKE = { firstMs: 500, maxMs: 30_000 };
/** How soon a clock that was moved is noticed. */
const LOOK_EVERY_MS = 250;

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
const published = z.object({ eventTime: z.coerce.date() });

/** `status` is absent where there was no answer. */
type Outcome = { kind: 'taken' } | { kind: 'failed' | 'refused'; status?: number };

/**
 * Posts delivery reports to the webhook as Event Grid does: after one handshake, each at least once, until it is taken,
 * refused, or past its time. What is left when the service ends goes out after the next start.
 */
export class DeliveryReports {
  private readonly retry;
  private readonly handshake;
  private readonly closing = new AbortController();
  /** By the stack's clock. An event that isn't here is due. */
  private readonly waits = new Map<string, { from: number; ms: number }>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private problem: string | undefined;
  private told = false;
  /** By real time; set while a handshake that failed is to be tried again. */
  private nextHandshake: { at: number; wait: number } | undefined;

  constructor(
    private readonly store: Store,
    private readonly events: DeliveryEvents,
  ) {
    this.retry = events.retry ?? eventGridRetry;
    this.handshake = events.handshake ?? HANDSHAKE;
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
    if (this.store.hasPendingEvents() && (await this.isOpen())) {
      for (const pending of this.store.pendingEvents()) {
        if (this.closing.signal.aborted) return;
        if (!this.isDue(pending.id)) continue;
        const outcome: Outcome = this.left(pending) <= 0 ? { kind: 'refused' } : await this.deliver(pending);
        if (this.closing.signal.aborted && outcome.kind !== 'taken') return;
        this.record(pending, outcome);
      }
    }
    this.waitForMore();
  }

  private waitForMore(): void {
    if (this.closing.signal.aborted || !this.store.hasPendingEvents()) return;
    this.timer = setTimeout(() => {
      this.look();
    }, this.untilLook()).unref();
  }

  private look(): void {
    const handshake = this.nextHandshake !== undefined;
    if (handshake || [...this.waits.keys()].some((id) => this.isDue(id))) this.kick();
    else this.waitForMore();
  }

  /** Real time until the next handshake, or until an event may be due, where the clock is left alone. */
  private untilLook(): number {
    if (this.nextHandshake !== undefined) return Math.max(1, this.nextHandshake.at - performance.now());
    const now = Date.now();
    const left = [...this.waits.values()].map(({ from, ms }) => from + ms - now);
    return Math.max(1, Math.min(LOOK_EVERY_MS, ...left));
  }

  private isDue(id: string): boolean {
    const wait = this.waits.get(id);
    const now = Date.now();
    // A clock that was set back would keep an event waiting for as long as it was set back.
    return wait === undefined || now >= wait.from + wait.ms || now < wait.from;
  }

  /** What is left of an event's lifetime, in ms of the stack's clock. */
  private left({ event }: PendingEvent): number {
    return published.parse(event).eventTime.getTime() + this.retry.lifetimeMs - Date.now();
  }

  private record(pending: PendingEvent, outcome: Outcome): void {
    const { id, attempts } = pending;
    this.waits.delete(id);
    if (outcome.kind === 'taken') {
      this.store.eventTaken(id);
      return;
    }
    const drop = outcome.kind === 'refused' || attempts + 1 >= this.retry.attempts;
    this.store.eventFailed(id, drop);
    if (drop) return;
    const { delaysMs, atLeastMs } = this.retry;
    const delay = delaysMs[Math.min(attempts, delaysMs.length - 1)] ?? 0;
    const least = outcome.status === undefined ? 0 : (atLeastMs[outcome.status] ?? 0);
    this.waits.set(id, { from: Date.now(), ms: Math.min(Math.max(delay, least), this.left(pending)) });
  }

  private async deliver({ event, attempts }: PendingEvent): Promise<Outcome> {
    try {
      const url = this.events.url();
      const { status } = await this.post(url, 'Notification', event, attempts);
      this.note(status < 300 ? undefined : `${url} answered ${status}`);
      if (status < 300) return { kind: 'taken' };
      return { kind: FINAL.includes(status) ? 'refused' : 'failed', status };
    } catch (error) {
      this.note(reasonOf(error));
      return { kind: 'failed' };
    }
  }

  private note(problem: string | undefined): void {
    this.problem = problem;
    if (this.closing.signal.aborted) return;
    if (problem !== undefined && !this.told) this.events.log?.(`Delivery reports wait: ${problem}.`);
    this.told = problem !== undefined;
  }

  /** Whether the webhook has passed its handshake; tries that when it is time to. */
  private async isOpen(): Promise<boolean> {
    const url = this.events.url();
    if (this.store.isValidated(url)) return true;
    if (this.nextHandshake !== undefined && performance.now() < this.nextHandshake.at) return false;
    const passed = await this.isValidated(url).catch((error: unknown) => {
      this.note(reasonOf(error));
      return false;
    });
    const { firstMs, maxMs } = this.handshake;
    const wait = this.nextHandshake === undefined ? firstMs : Math.min(maxMs, this.nextHandshake.wait * 2);
    this.nextHandshake = passed ? undefined : { at: performance.now() + wait, wait };
    return passed;
  }

  /** The handshake with which a webhook shows that it wants these events; once for each address. */
  private async isValidated(url: string): Promise<boolean> {
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
    this.note(valid ? undefined : `${url} did not pass the subscription validation (${response.status})`);
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

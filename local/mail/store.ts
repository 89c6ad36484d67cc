import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import type { SQLOutputValue } from 'node:sqlite';
import type { EmailMessage, Recipient } from './message';
import { internetMessageId } from './message';
import { settingsSchema } from './settings';
import type { DeliveryStatus, Quota, Settings } from './settings';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS operations (id TEXT PRIMARY KEY, hash TEXT NOT NULL, accepted INTEGER NOT NULL, reads INTEGER NOT NULL, failure TEXT) STRICT;
  CREATE TABLE IF NOT EXISTS messages (sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, operation TEXT NOT NULL, accepted INTEGER NOT NULL,
    message_id TEXT NOT NULL, message TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS deliveries (sequence INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE, position INTEGER NOT NULL, mailbox TEXT NOT NULL,
    recipient TEXT NOT NULL, status TEXT NOT NULL, PRIMARY KEY (sequence, position)) STRICT;
  CREATE INDEX IF NOT EXISTS deliveries_mailbox ON deliveries (mailbox, sequence);
  CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, event TEXT NOT NULL, attempts INTEGER NOT NULL, dropped INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS subscriptions (url TEXT PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS attempts (at INTEGER NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS attempts_at ON attempts (at);
  CREATE TABLE IF NOT EXISTS settings (id INTEGER PRIMARY KEY CHECK (id = 1), settings TEXT NOT NULL) STRICT;
`;

export interface Failure {
  code: string;
  message: string;
}

export interface Operation {
  id: string;
  hash: string;
  accepted: Date;
  /** How often its status was asked for. */
  reads: number;
  failure: Failure | undefined;
}

export type Delivery = Recipient & { status: DeliveryStatus };

export interface StoredMessage {
  /** Grows with every accepted mail and is never used twice. */
  sequence: number;
  id: string;
  operationId: string;
  accepted: Date;
  internetMessageId: string;
  message: EmailMessage;
  deliveries: Delivery[];
}

export interface Accepted {
  operationId: string;
  hash: string;
  message: EmailMessage;
  deliveries: Delivery[];
  failure: Failure | undefined;
}

export interface MessageQuery {
  /** A recipient's address, in whatever case. */
  to?: string | undefined;
  since?: Date | undefined;
  after?: number | undefined;
  before?: number | undefined;
  limit: number;
}

export interface PendingEvent {
  id: string;
  event: unknown;
  attempts: number;
}

export interface MailboxCount {
  address: string;
  count: number;
}

/** The deliveries of a message, or the one to the mailbox `to`. */
export function deliveriesTo({ deliveries }: StoredMessage, to: string | undefined): Delivery[] {
  if (to === undefined) return deliveries;
  return deliveries.filter(({ address }) => address.toLowerCase() === to.toLowerCase());
}

type Row = Record<string, SQLOutputValue>;
const text = (row: Row, column: string): string => String(row[column]);

/** The mail service's state in one SQLite file; every change is one transaction. */
export class Store {
  private readonly db: DatabaseSync;
  private readonly news = new EventEmitter().setMaxListeners(0);
  private readonly closing = new AbortController();

  constructor(
    file: string,
    private readonly defaults: Settings,
  ) {
    this.db = new DatabaseSync(file);
    this.db.exec(SCHEMA);
  }

  private transaction<T>(work: () => T): T {
    this.db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.db.exec('COMMIT');
      return result;
    } catch (error) {
      this.db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Files a mail with its operation and its delivery reports. */
  accept(mail: Accepted, eventsOf: (stored: StoredMessage) => { id: string }[]): Operation {
    const id = randomUUID();
    const now = new Date();
    const messageId = internetMessageId(mail.message, id);
    const operation: Operation = {
      id: mail.operationId,
      hash: mail.hash,
      accepted: now,
      reads: 0,
      failure: mail.failure,
    };
    this.transaction(() => {
      this.db
        .prepare('INSERT INTO operations VALUES (?, ?, ?, 0, ?)')
        .run(mail.operationId, mail.hash, now.getTime(), mail.failure ? JSON.stringify(mail.failure) : null);
      const { lastInsertRowid } = this.db
        .prepare('INSERT INTO messages (id, operation, accepted, message_id, message) VALUES (?, ?, ?, ?, ?)')
        .run(id, mail.operationId, now.getTime(), messageId, JSON.stringify(mail.message));
      const sequence = Number(lastInsertRowid);
      const addDelivery = this.db.prepare('INSERT INTO deliveries VALUES (?, ?, ?, ?, ?)');
      mail.deliveries.forEach(({ status, ...recipient }, position) => {
        addDelivery.run(sequence, position, recipient.address.toLowerCase(), JSON.stringify(recipient), status);
      });
      const addEvent = this.db.prepare('INSERT INTO events VALUES (?, ?, 0, 0)');
      const stored: StoredMessage = {
        sequence,
        id,
        operationId: mail.operationId,
        accepted: now,
        internetMessageId: messageId,
        message: mail.message,
        deliveries: mail.deliveries,
      };
      for (const event of eventsOf(stored)) addEvent.run(event.id, JSON.stringify(event));
    });
    this.news.emit('accepted');
    return operation;
  }

  /** An operation that is still remembered. */
  operation(id: string): Operation | undefined {
    const row = this.db.prepare('SELECT * FROM operations WHERE id = ?').get(id);
    if (!row) return undefined;
    const operation: Operation = {
      id,
      hash: text(row, 'hash'),
      accepted: new Date(Number(row['accepted'])),
      reads: Number(row['reads']),
      failure: row['failure'] === null ? undefined : (JSON.parse(text(row, 'failure')) as Failure),
    };
    const { forgetAfterMs } = this.settings();
    if (forgetAfterMs === null || Date.now() - operation.accepted.getTime() < forgetAfterMs) return operation;
    this.forget(id);
    return undefined;
  }

  countRead(id: string): void {
    this.db.prepare('UPDATE operations SET reads = reads + 1 WHERE id = ?').run(id);
  }

  /** Forgets an operation while its mail stays delivered. */
  forget(id: string): boolean {
    return Number(this.db.prepare('DELETE FROM operations WHERE id = ?').run(id).changes) > 0;
  }

  /** Counts an attempt to send; returns how many seconds to wait where the quota has no room for it. */
  takeQuota({ perMinute, perHour }: Quota): number | undefined {
    const now = Date.now();
    return this.transaction(() => {
      // A clock that was set back leaves attempts in the future, which would otherwise count for ever.
      this.db.prepare('DELETE FROM attempts WHERE at <= ? OR at > ?').run(now - HOUR, now);
      this.db.prepare('INSERT INTO attempts VALUES (?)').run(now);
      const waits = [this.roomIn(MINUTE, perMinute, now), this.roomIn(HOUR, perHour, now)];
      const wait = Math.max(...waits);
      return wait > 0 ? Math.ceil(wait / 1000) : undefined;
    });
  }

  private roomIn(window: number, limit: number, now: number): number {
    const row = this.db
      .prepare('SELECT at FROM attempts WHERE at > ? ORDER BY at DESC LIMIT 1 OFFSET ?')
      .get(now - window, limit);
    if (!row) return 0;
    const freed = this.db
      .prepare('SELECT at FROM attempts WHERE at > ? ORDER BY at DESC LIMIT 1 OFFSET ?')
      .get(now - window, limit - 1);
    return Number(freed?.['at'] ?? now) + window - now;
  }

  private readMessage(row: Row): StoredMessage {
    const sequence = Number(row['sequence']);
    const deliveries = this.db
      .prepare('SELECT recipient, status FROM deliveries WHERE sequence = ? ORDER BY position')
      .all(sequence)
      .map((delivery): Delivery => ({
        ...(JSON.parse(text(delivery, 'recipient')) as Recipient),
        status: text(delivery, 'status') as DeliveryStatus,
      }));
    return {
      sequence,
      id: text(row, 'id'),
      operationId: text(row, 'operation'),
      accepted: new Date(Number(row['accepted'])),
      internetMessageId: text(row, 'message_id'),
      message: JSON.parse(text(row, 'message')) as EmailMessage,
      deliveries,
    };
  }

  message(id: string): StoredMessage | undefined {
    const row = this.db.prepare('SELECT * FROM messages WHERE id = ?').get(id);
    return row && this.readMessage(row);
  }

  /** Newest first. */
  messages({ to, since, after, before, limit }: MessageQuery): StoredMessage[] {
    const inMailbox =
      to === undefined ? '' : 'AND sequence IN (SELECT sequence FROM deliveries WHERE mailbox = $mailbox)';
    return this.db
      .prepare(
        `SELECT * FROM messages WHERE accepted >= $since AND sequence > $after AND sequence < $before ${inMailbox} ORDER BY sequence DESC LIMIT $limit`,
      )
      .all({
        $since: since?.getTime() ?? Number.MIN_SAFE_INTEGER,
        $after: after ?? 0,
        $before: before ?? Number.MAX_SAFE_INTEGER,
        $limit: limit,
        ...(to !== undefined && { $mailbox: to.toLowerCase() }),
      })
      .map((row) => this.readMessage(row));
  }

  /** The same as soon as there is one, or nothing after `wait` ms of real time. */
  async awaitMessages(query: MessageQuery, wait: number, gone: AbortSignal): Promise<StoredMessage[]> {
    const signal = AbortSignal.any([AbortSignal.timeout(wait), gone, this.closing.signal]);
    for (;;) {
      if (this.closing.signal.aborted) return [];
      const found = this.messages(query);
      if (found.length > 0 || signal.aborted) return found;
      await once(this.news, 'accepted', { signal }).catch(() => undefined);
    }
  }

  /** The newest mail's sequence, 0 where there was none. */
  lastSequence(): number {
    const row = this.db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").get();
    return Number(row?.['seq'] ?? 0);
  }

  /** Who got mail, last come first. */
  mailboxes(limit: number): MailboxCount[] {
    return this.db
      .prepare(
        'SELECT mailbox, COUNT(*) AS count FROM deliveries GROUP BY mailbox ORDER BY MAX(sequence) DESC, mailbox LIMIT ?',
      )
      .all(limit)
      .map((row) => ({ address: text(row, 'mailbox'), count: Number(row['count']) }));
  }

  countMessages(): number {
    return Number(this.db.prepare('SELECT COUNT(*) AS count FROM messages').get()?.['count'] ?? 0);
  }

  /** Empties the inbox; operations stay, so that a repeat still sends nothing. */
  deleteMessages(): void {
    this.db.exec('DELETE FROM messages');
  }

  settings(): Settings {
    const row = this.db.prepare('SELECT settings FROM settings').get();
    return row ? settingsSchema.parse(JSON.parse(text(row, 'settings'))) : this.defaults;
  }

  saveSettings(settings: Settings): void {
    this.db.prepare('INSERT OR REPLACE INTO settings VALUES (1, ?)').run(JSON.stringify(settings));
  }

  /** Delivery reports not yet taken, oldest first. */
  pendingEvents(): PendingEvent[] {
    return this.db
      .prepare('SELECT id, event, attempts FROM events WHERE dropped = 0 ORDER BY rowid')
      .all()
      .map((row) => ({
        id: text(row, 'id'),
        event: JSON.parse(text(row, 'event')) as unknown,
        attempts: Number(row['attempts']),
      }));
  }

  hasPendingEvents(): boolean {
    return this.db.prepare('SELECT 1 FROM events WHERE dropped = 0 LIMIT 1').get() !== undefined;
  }

  droppedEvents(): unknown[] {
    return this.db
      .prepare('SELECT event FROM events WHERE dropped = 1 ORDER BY rowid')
      .all()
      .map((row) => JSON.parse(text(row, 'event')) as unknown);
  }

  eventTaken(id: string): void {
    this.db.prepare('DELETE FROM events WHERE id = ?').run(id);
  }

  eventFailed(id: string, drop: boolean): void {
    this.db.prepare('UPDATE events SET attempts = attempts + 1, dropped = ? WHERE id = ?').run(drop ? 1 : 0, id);
  }

  isValidated(url: string): boolean {
    return this.db.prepare('SELECT 1 FROM subscriptions WHERE url = ?').get(url) !== undefined;
  }

  markValidated(url: string): void {
    this.db.prepare('INSERT OR IGNORE INTO subscriptions VALUES (?)').run(url);
  }

  close(): void {
    this.closing.abort();
    if (this.db.isOpen) this.db.close();
  }
}

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { HistoryEvent, Parent } from './history';
import { asPlayed } from './history';

const STATUSES = [
  'Pending',
  'Running',
  'Completed',
  'Failed',
  'Terminated',
  'Suspended',
  'ContinuedAsNew',
  'Canceled',
] as const;
export type RuntimeStatus = (typeof STATUSES)[number];

const FINAL: ReadonlySet<RuntimeStatus> = new Set(['Completed', 'Failed', 'Terminated', 'Canceled']);

/** Whether nothing more happens to an instance in this status. */
export function isFinal(status: RuntimeStatus): boolean {
  return FINAL.has(status);
}

/** Reads a status as a query names it, in any case. */
export function parseRuntimeStatus(text: string): RuntimeStatus | undefined {
  return STATUSES.find((status) => status.toLowerCase() === text.trim().toLowerCase());
}

const parentSchema = z.object({
  name: z.string(),
  instanceId: z.string(),
  executionId: z.string(),
  taskId: z.number(),
});
const jsonParent = z.string().transform((text): Parent => parentSchema.parse(JSON.parse(text)));

const instanceSchema = z.object({
  id: z.string(),
  executionId: z.string(),
  name: z.string(),
  version: z.string().nullable(),
  status: z.enum(STATUSES),
  input: z.string().nullable(),
  output: z.string().nullable(),
  customStatus: z.string().nullable(),
  created: z.number(),
  updated: z.number(),
  parent: jsonParent.nullable(),
});

/** An orchestration instance; input and custom status are JSON text, output is JSON or plain text, times are milliseconds. */
export type Instance = z.output<typeof instanceSchema>;

/** An event on its way to an instance. */
export interface Message {
  instanceId: string;
  /** The execution it is meant for; undefined for whichever runs. */
  executionId: string | undefined;
  event: HistoryEvent;
}

const messageSchema = z.object({ seq: z.number(), executionId: z.string().nullable(), event: z.string() });

const activitySchema = z.object({
  seq: z.number(),
  instanceId: z.string(),
  executionId: z.string(),
  taskId: z.number(),
  name: z.string(),
  input: z.string().nullable(),
});

/** An activity that is to be run; input is JSON text. */
export type ScheduledActivity = z.output<typeof activitySchema>;

const timerSchema = z.object({
  seq: z.number(),
  instanceId: z.string(),
  executionId: z.string(),
  taskId: z.number(),
  due: z.number(),
});

/** A timer that has not fired; `due` in milliseconds. */
export type Timer = z.output<typeof timerSchema>;

const idSchema = z.object({ id: z.string() });
const traceSchema = z.object({ traceParent: z.string() });
const eventSchema = z.object({ event: z.string() });
const dueSchema = z.object({ due: z.number().nullable() });

/** What lists and purges choose by; times in milliseconds. */
export interface InstanceFilter {
  createdFrom?: number | undefined;
  createdTo?: number | undefined;
  statuses?: readonly RuntimeStatus[] | undefined;
  idPrefix?: string | undefined;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS instances (
    id TEXT PRIMARY KEY, executionId TEXT NOT NULL, name TEXT NOT NULL, version TEXT, status TEXT NOT NULL,
    input TEXT, output TEXT, customStatus TEXT, created INTEGER NOT NULL, updated INTEGER NOT NULL, parent TEXT
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS history (
    instanceId TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (instanceId, seq)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, instanceId TEXT NOT NULL, executionId TEXT, event TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS messagesByInstance ON messages (instanceId, seq);
  CREATE TABLE IF NOT EXISTS activities (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, instanceId TEXT NOT NULL, executionId TEXT NOT NULL, taskId INTEGER NOT NULL,
    name TEXT NOT NULL, input TEXT
  );
  CREATE TABLE IF NOT EXISTS timers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, instanceId TEXT NOT NULL, executionId TEXT NOT NULL, taskId INTEGER NOT NULL,
    due INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS traces (instanceId TEXT PRIMARY KEY, traceParent TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS timersByDue ON timers (due, seq);
  CREATE INDEX IF NOT EXISTS timersByInstance ON timers (instanceId);
`;

/**
 * Everything durable about orchestrations: instances, their histories, the messages, activities and timers under way.
 * Callers put each step into one `transaction`, so that a kill at any moment leaves either all of it or none.
 */
export class DurableStore {
  private readonly statements = new Map<string, StatementSync>();

  constructor(private readonly database: DatabaseSync) {
    database.exec(SCHEMA);
  }

  /** False once the host has closed its state; what still runs then has nowhere to write. */
  get isOpen(): boolean {
    return this.database.isOpen;
  }

  /** Runs a step so that all or none of its writes happen. */
  transaction<T>(step: () => T): T {
    this.prepare('BEGIN').run();
    try {
      const result = step();
      this.prepare('COMMIT').run();
      return result;
    } catch (error) {
      if (this.database.isTransaction) this.prepare('ROLLBACK').run();
      throw error;
    }
  }

  instance(id: string): Instance | undefined {
    const row = this.prepare('SELECT * FROM instances WHERE id = ?').get(id);
    return row && instanceSchema.parse(row);
  }

  putInstance(instance: Instance): void {
    this.prepare(
      `INSERT OR REPLACE INTO instances (id, executionId, name, version, status, input, output, customStatus, created, updated, parent)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      instance.id,
      instance.executionId,
      instance.name,
      instance.version,
      instance.status,
      instance.input,
      instance.output,
      instance.customStatus,
      instance.created,
      instance.updated,
      instance.parent && JSON.stringify(instance.parent),
    );
  }

  /** The trace in which an instance was started; none where its starter named none. */
  traceParent(id: string): string | undefined {
    const row = this.prepare('SELECT traceParent FROM traces WHERE instanceId = ?').get(id);
    return row && traceSchema.parse(row).traceParent;
  }

  putTraceParent(id: string, traceParent: string): void {
    this.prepare('INSERT OR REPLACE INTO traces (instanceId, traceParent) VALUES (?, ?)').run(id, traceParent);
  }

  /** A page of instances in the order of their ids, from one id on. */
  instances(filter: InstanceFilter, from: string, limit: number): Instance[] {
    const { sql, values } = where(filter, from);
    const rows = this.prepare(`SELECT * FROM instances WHERE ${sql} ORDER BY id LIMIT ?`).all(...values, limit);
    return rows.map((row) => instanceSchema.parse(row));
  }

  /** The ids of all instances that a filter chooses. */
  instanceIds(filter: InstanceFilter): string[] {
    const { sql, values } = where(filter, '');
    const rows = this.prepare(`SELECT id FROM instances WHERE ${sql}`).all(...values);
    return rows.map((row) => idSchema.parse(row).id);
  }

  /** Forgets an instance and everything under way to it but activities, whose results then go nowhere. */
  removeInstance(id: string): void {
    this.prepare('DELETE FROM instances WHERE id = ?').run(id);
    this.prepare('DELETE FROM traces WHERE instanceId = ?').run(id);
    this.removeHistory(id);
    this.removeMessagesTo(id);
    this.removeTimers(id);
  }

  /** The events of an instance as JSON texts, oldest first. */
  history(id: string): string[] {
    return this.prepare('SELECT event FROM history WHERE instanceId = ? ORDER BY seq')
      .all(id)
      .map((row) => eventSchema.parse(row).event);
  }

  /** Appends events after the `from` that the history already has. */
  appendHistory(id: string, from: number, events: readonly HistoryEvent[]): void {
    const insert = this.prepare('INSERT INTO history (instanceId, seq, event) VALUES (?, ?, ?)');
    events.forEach((event, index) => insert.run(id, from + index, JSON.stringify(asPlayed(event))));
  }

  removeHistory(id: string): void {
    this.prepare('DELETE FROM history WHERE instanceId = ?').run(id);
  }

  send(message: Message): void {
    this.prepare('INSERT INTO messages (instanceId, executionId, event) VALUES (?, ?, ?)').run(
      message.instanceId,
      message.executionId ?? null,
      JSON.stringify(message.event),
    );
  }

  /** The messages that wait for an instance, oldest first. */
  messages(id: string): { seq: number; executionId: string | undefined; event: HistoryEvent }[] {
    return this.prepare('SELECT seq, executionId, event FROM messages WHERE instanceId = ? ORDER BY seq')
      .all(id)
      .map((row) => {
        const { seq, executionId, event } = messageSchema.parse(row);
        return { seq, executionId: executionId ?? undefined, event: parseEvent(event) };
      });
  }

  removeMessages(sequence: readonly number[]): void {
    const remove = this.prepare('DELETE FROM messages WHERE seq = ?');
    for (const seq of sequence) remove.run(seq);
  }

  removeMessagesTo(id: string): void {
    this.prepare('DELETE FROM messages WHERE instanceId = ?').run(id);
  }

  /** The ids of instances that messages wait for. */
  instancesWithMessages(): string[] {
    return this.prepare('SELECT instanceId AS id FROM messages GROUP BY instanceId ORDER BY min(seq)')
      .all()
      .map((row) => idSchema.parse(row).id);
  }

  scheduleActivity(activity: Omit<ScheduledActivity, 'seq'>): void {
    this.prepare('INSERT INTO activities (instanceId, executionId, taskId, name, input) VALUES (?, ?, ?, ?, ?)').run(
      activity.instanceId,
      activity.executionId,
      activity.taskId,
      activity.name,
      activity.input,
    );
  }

  /** Activities scheduled after the one with this sequence number, oldest first. */
  activitiesAfter(seq: number, limit: number): ScheduledActivity[] {
    return this.prepare('SELECT * FROM activities WHERE seq > ? ORDER BY seq LIMIT ?')
      .all(seq, limit)
      .map((row) => activitySchema.parse(row));
  }

  removeActivity(seq: number): void {
    this.prepare('DELETE FROM activities WHERE seq = ?').run(seq);
  }

  createTimer(timer: Omit<Timer, 'seq'>): void {
    this.prepare('INSERT INTO timers (instanceId, executionId, taskId, due) VALUES (?, ?, ?, ?)').run(
      timer.instanceId,
      timer.executionId,
      timer.taskId,
      timer.due,
    );
  }

  /** When the next timer is due; undefined without timers. */
  nextDue(): number | undefined {
    return dueSchema.parse(this.prepare('SELECT min(due) AS due FROM timers').get()).due ?? undefined;
  }

  /** Timers due at a time, the first due first. */
  dueTimers(at: number, limit: number): Timer[] {
    return this.prepare('SELECT * FROM timers WHERE due <= ? ORDER BY due, seq LIMIT ?')
      .all(at, limit)
      .map((row) => timerSchema.parse(row));
  }

  removeTimer(seq: number): void {
    this.prepare('DELETE FROM timers WHERE seq = ?').run(seq);
  }

  removeTimers(instanceId: string): void {
    this.prepare('DELETE FROM timers WHERE instanceId = ?').run(instanceId);
  }

  private prepare(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (!statement) {
      statement = this.database.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }
}

/** A history event from the JSON that this store wrote. */
export function parseEvent(text: string): HistoryEvent {
  // Only this host writes the table, and only through `appendHistory` and `send`.
  return JSON.parse(text) as HistoryEvent;
}

function where(filter: InstanceFilter, from: string): { sql: string; values: (string | number)[] } {
  const terms = ['id >= ?'];
  const values: (string | number)[] = [from];
  const add = (term: string, ...of: (string | number)[]): void => {
    terms.push(term);
    values.push(...of);
  };
  if (filter.createdFrom !== undefined) add('created >= ?', filter.createdFrom);
  if (filter.createdTo !== undefined) add('created <= ?', filter.createdTo);
  if (filter.idPrefix) add('substr(id, 1, ?) = ?', filter.idPrefix.length, filter.idPrefix);
  if (filter.statuses?.length) add(`status IN (${filter.statuses.map(() => '?').join(', ')})`, ...filter.statuses);
  return { sql: terms.join(' AND '), values };
}

import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { DueWatch } from './due-watch';
import type { RegisteredFunction, TypedData } from './functions-core';
import { resolveSettings } from './host-config';
import { HostFailure, messageOf, stackOf } from './host-failure';
import type { Invoker } from './invocation';
import type { Log } from './log';
import type { Schedule } from './timer-schedule';
import { parseSchedule } from './timer-schedule';

const statusSchema = z.object({
  schedule: z.string(),
  last: z.number().nullable(),
  next: z.number(),
  updated: z.number(),
});
type Status = z.output<typeof statusSchema>;

/** What timer functions need from around them. */
export interface TimersContext {
  database: DatabaseSync;
  functions: readonly RegisteredFunction[];
  invoker: Invoker;
  log: Log;
  extraInputs(fn: RegisteredFunction): { name: string; data: TypedData }[];
}

const MINUTE = 60_000;

/** Runs the app's timer functions; of one function one run at a time. */
export class Timers {
  private readonly timers: FunctionTimer[];

  constructor(context: TimersContext) {
    context.database.exec(
      'CREATE TABLE IF NOT EXISTS timerFunctions (name TEXT PRIMARY KEY, schedule TEXT NOT NULL, last INTEGER, next INTEGER NOT NULL, updated INTEGER NOT NULL)',
    );
    this.timers = context.functions.map((fn) => new FunctionTimer(context, fn));
  }

  start(): void {
    for (const timer of this.timers) timer.start();
  }

  stop(): void {
    for (const timer of this.timers) timer.stop();
  }
}

class FunctionTimer {
  private readonly schedule: Schedule;
  private readonly scheduleText: string;
  private readonly watch: DueWatch;
  /** Whether missed runs are made up for after a restart, as by default from a minute on. */
  private readonly monitored: boolean;
  private last: number | undefined;
  private next: number | undefined;
  private running = false;

  constructor(
    private readonly context: TimersContext,
    private readonly fn: RegisteredFunction,
  ) {
    try {
      this.scheduleText = resolveSettings(String(fn.trigger['schedule']));
      this.schedule = parseSchedule(this.scheduleText, process.env['WEBSITE_TIME_ZONE'] || 'UTC');
    } catch (error) {
      throw new HostFailure(`The timer function ${fn.name} can't be scheduled: ${messageOf(error)}`);
    }
    this.monitored = fn.trigger['useMonitor'] !== false && this.shortestInterval() >= MINUTE;
    this.watch = new DueWatch({
      next: () => (this.running ? undefined : this.next),
      fire: (now) => void this.fire(now),
    });
  }

  start(): void {
    const now = Date.now();
    const status = this.monitored ? this.load() : undefined;
    this.last = status?.last ?? undefined;
    this.next = this.firstDue(status, now);
    this.save();
    if (this.fn.trigger['runOnStartup'] === true && !this.isPastDue(now)) void this.run(false, undefined);
    this.watch.look();
  }

  stop(): void {
    this.next = undefined;
    this.watch.stop();
  }

  /** A changed schedule counts from the last run, or from when the old one was noted. */
  private firstDue(status: Status | undefined, now: number): number | undefined {
    if (!status) return this.schedule.after(now);
    return status.schedule === this.scheduleText ? status.next : this.schedule.after(status.last ?? status.updated);
  }

  private shortestInterval(): number {
    const from = Date.now();
    const first = this.schedule.after(from);
    const second = first === undefined ? undefined : this.schedule.after(first);
    return first === undefined || second === undefined ? Infinity : second - first;
  }

  /** Whether the occurrence that is due was missed: more than a second has gone by, or another occurrence with it. */
  private isPastDue(now: number): boolean {
    return this.next !== undefined && now - this.next > 1000;
  }

  private async fire(now: number): Promise<void> {
    await this.run(this.isPastDue(now), this.next);
  }

  /** Runs the function; `due` is the occurrence that this makes done, none for a run at start-up. */
  private async run(isPastDue: boolean, due: number | undefined): Promise<void> {
    this.running = true;
    try {
      await this.context.invoker.invoke(this.fn, {
        inputData: [
          { name: this.fn.trigger.key, data: { json: this.input(isPastDue) } },
          ...this.context.extraInputs(this.fn),
        ],
      });
    } catch (error) {
      this.context.log(
        'error',
        `Function.${this.fn.name}`,
        `Executed 'Functions.${this.fn.name}' (Failed): ${stackOf(error)}`,
      );
    }
    this.running = false;
    if (!this.context.database.isOpen) return;
    const now = Date.now();
    if (due !== undefined) {
      this.last = due;
      this.next = this.schedule.after(now);
    }
    this.save();
    this.watch.look();
  }

  private input(isPastDue: boolean): string {
    const time = (at: number | undefined): string => new Date(at ?? 0).toISOString();
    return JSON.stringify({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: { Last: time(this.last), Next: time(this.next), LastUpdated: time(this.last) },
      IsPastDue: isPastDue,
    });
  }

  private load(): Status | undefined {
    const row = this.context.database.prepare('SELECT * FROM timerFunctions WHERE name = ?').get(this.fn.name);
    return row && statusSchema.parse(row);
  }

  private save(): void {
    if (!this.monitored || this.next === undefined) return;
    this.context.database
      .prepare('INSERT OR REPLACE INTO timerFunctions (name, schedule, last, next, updated) VALUES (?, ?, ?, ?, ?)')
      .run(this.fn.name, this.scheduleText, this.last ?? null, this.next, Date.now());
  }
}

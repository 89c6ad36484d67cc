const LOOK_EVERY_MS = 25;

/** Something that is due at a time of the clock which `Date` shows. */
export interface Due {
  /** When the next thing is due, in milliseconds since 1970; undefined when nothing is. */
  next(): number | undefined;
  /** Called when it is. */
  fire(now: number): void;
}

/**
 * Waits for points in time by looking at `Date` again and again, since the clock may be moved while we wait: a jump is
 * seen within 25 milliseconds. Nothing runs while nothing is pending.
 */
export class DueWatch {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly due: Due) {}

  /** To be called whenever `next` may have come nearer. */
  look(): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const next = this.due.next();
    if (next === undefined) return;
    const left = next - Date.now();
    this.timer = setTimeout(() => this.tick(), Math.min(Math.max(left, 0), LOOK_EVERY_MS));
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private tick(): void {
    const next = this.due.next();
    const now = Date.now();
    if (next !== undefined && next <= now) this.due.fire(now);
    this.look();
  }
}

/** Lets so many requests run at a time, holds back some more, and refuses the rest, as host.json's http section says. */
export class RequestGate {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** A limit below 1 is none. */
  constructor(
    private readonly maxConcurrent: number,
    private readonly maxOutstanding: number,
  ) {}

  /** Resolves when the request may run; undefined when there is no room, which is a 429. */
  enter(): Promise<void> | undefined {
    if (this.maxOutstanding > 0 && this.running + this.waiting.length >= this.maxOutstanding) return undefined;
    if (this.maxConcurrent < 1 || this.running < this.maxConcurrent) {
      this.running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }
}

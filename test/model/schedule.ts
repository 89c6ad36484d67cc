/** Numbers between 0 and 1 that the same seed gives again (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Waiting {
  name: string;
  go: () => Promise<void>;
}

const aTurn = (): Promise<void> => new Promise((done) => setImmediate(done));
/** So many turns of the event loop without a call, while something runs, are a hang. */
const PATIENCE = 20_000;

/**
 * Says in which order things happen. Whatever runs stops before each of its outgoing calls; when all have stopped, one of them, chosen by
 * the seed, goes on. So a run is the same each time, and other seeds try other orders. A kill forgets all that has stopped: the calls that
 * were made stay made, and what their callers would have done next does not happen.
 */
export class Schedule {
  private waiting: Waiting[] = [];
  private threads = 0;
  private epoch = 0;
  private changes = 0;
  /** Outgoing calls so far. */
  calls = 0;
  /** Called after each of them: the clock goes on. */
  onCall: () => void = () => undefined;
  random: () => number = Math.random;

  /** Lets `work` wait for its turn; for what belongs to a process that was killed, the turn never comes. */
  gate(): <T>(name: string, work: () => Promise<T>) => Promise<T> {
    const { epoch } = this;
    return (name, work) =>
      new Promise((resolve, reject) => {
        if (epoch !== this.epoch) return;
        this.changes += 1;
        this.waiting.push({
          name,
          go: async () => {
            try {
              resolve(await work());
            } catch (error) {
              // whatever the call failed with
              // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
              reject(error);
            }
          },
        });
      });
  }

  /** Something that runs by itself; `settle` waits for its end. */
  start(work: () => Promise<unknown>): void {
    const { epoch } = this;
    const over = (): void => {
      if (epoch !== this.epoch) return;
      this.threads -= 1;
      this.changes += 1;
    };
    this.threads += 1;
    work().then(over, over);
  }

  /** The process is gone, and everything in it. */
  kill(): void {
    this.epoch += 1;
    this.threads = 0;
    this.waiting = [];
  }

  /** Goes on until nothing is left to do, or until so many calls were made. `more` gives what could start besides. */
  async settle(more: () => (() => Promise<void>)[], most = Infinity): Promise<'quiet' | 'stopped'> {
    const until = this.calls + most;
    for (let idle = 0; ;) {
      await this.stopped();
      const choices = [...this.waiting.map(({ go }) => go), ...more()];
      if (choices.length === 0) {
        if (this.threads === 0) return 'quiet';
        idle += 1;
        if (idle > PATIENCE) throw new Error('something runs and makes no call');
        continue;
      }
      if (this.calls >= until) return 'stopped';
      idle = 0;
      const chosen = choices[Math.floor(this.random() * choices.length)];
      const isCall = this.waiting.some(({ go }) => go === chosen);
      this.waiting = this.waiting.filter(({ go }) => go !== chosen);
      await chosen?.();
      if (!isCall) continue;
      this.calls += 1;
      this.onCall();
    }
  }

  /** Resolves when everything that runs waits for its turn. */
  private async stopped(): Promise<void> {
    for (let seen = -1, same = 0; same < 2;) {
      await aTurn();
      if (seen === this.changes) same += 1;
      else [seen, same] = [this.changes, 0];
    }
  }
}

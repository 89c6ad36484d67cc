import type { SystemActor } from '../../local/stack/actors';
import type { Stack } from '../../local/stack/stack';
import type { Found, Walk } from '../../shared/records/operations-notes';

/** The reconcile as operations see it: its latest summary, and the walk that is under way. */
export interface ReconcileOverview {
  last: { startedAt: string; endedAt: string; found: Found } | null;
  underWay: Walk | null;
}

/** The walk that comes each night, started by hand. */
export interface Reconciling {
  /** Waits until it is so; where something waits for a time the clock runs on meanwhile, so many milliseconds at each look. */
  eventually<T>(look: () => Promise<T | undefined>, what: string, moves?: number): Promise<T>;
  overview(): Promise<ReconcileOverview>;
  /** @returns whether this call started it */
  start(by?: SystemActor): Promise<boolean>;
  /** Waits for the end of a walk that began after this one. */
  endOf(before: string | undefined, moves?: number): Promise<Found>;
  /** Starts a walk once none is under way, waits for its end, and gives what it found. */
  reconciled(): Promise<Found>;
}

export function reconciling({ clock }: Stack, ops: SystemActor): Reconciling {
  const eventually: Reconciling['eventually'] = async (look, what, moves = 0) => {
    for (const end = performance.now() + 40_000; ;) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`this did not come to be: ${what}`);
      if (moves > 0) clock.advance(moves);
      await new Promise((done) => setTimeout(done, 25));
    }
  };
  /** A host that is being restarted refuses connections, and the front door says so. */
  const overview: Reconciling['overview'] = async () => {
    for (let left = 200; ; left -= 1) {
      const answer = await ops.call('GET', '/api/ops/overview').catch(() => undefined);
      if (answer?.status === 200) return (answer.json as { reconcile: ReconcileOverview }).reconcile;
      if (left === 0) throw new Error(answer?.text ?? 'no answer');
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const start: Reconciling['start'] = async (by = ops) => {
    const { status, json, text } = await by.call('POST', '/api/ops/reconcile');
    if (status !== 202) throw new Error(text);
    return (json as { started: boolean }).started;
  };
  const endOf: Reconciling['endOf'] = (before, moves) =>
    eventually(
      async () => {
        const { last } = await overview();
        return last !== null && last.startedAt !== before ? last.found : undefined;
      },
      'the reconcile has ended',
      moves,
    );
  return {
    eventually,
    overview,
    start,
    endOf,
    reconciled: async () => {
      const before = (await overview()).last?.startedAt;
      await eventually(async () => ((await start()) ? true : undefined), 'the one before is over');
      return endOf(before);
    },
  };
}

import fc from 'fast-check';

import type { Table } from '../../shared/records/tables';
import { Run } from './run';
import { step } from './steps';
import type { Step } from './steps';

/** A step as fast-check takes it: all may be taken at any time, and the run judges itself. */
class Command implements fc.AsyncCommand<object, Run> {
  constructor(private readonly step: Step) {}
  check(): boolean {
    return true;
  }
  run(_model: object, run: Run): Promise<void> {
    return run.take(this.step);
  }
  toString(): string {
    return JSON.stringify(this.step);
  }
}

export interface Runs {
  runs: number;
  commands: number;
  /** Outgoing calls of the app. */
  calls: number;
  /** What was found otherwise than it may be: the shortest run that shows it, and the sentences. */
  failure?: string;
}

/**
 * So many runs of so many commands each, from one seed; ends at the first that fails, and makes it short.
 * @param options.table tables to work on; in memory when absent
 */
export async function modelRuns(options: {
  seed: number;
  runs: number;
  length: number;
  shrink?: boolean;
  table?: (run: number) => (name: string) => Table;
}): Promise<Runs> {
  const { seed, runs, length, shrink = true, table } = options;
  const done: Runs = { runs: 0, commands: 0, calls: 0 };
  // each run has its full length: a shorter one shows less
  const lists = fc.array(step, { minLength: length, maxLength: length });
  let failed: Step[] | undefined;
  const found = await fc.check(
    fc.asyncProperty(lists, async (steps) => {
      done.runs += 1;
      const run = new Run(table?.(done.runs));
      try {
        failed = steps;
        await fc.asyncModelRun(
          () => ({ model: {}, real: run }),
          steps.map((each) => new Command(each)),
        );
        await run.finish();
        failed = undefined;
      } finally {
        done.commands += steps.length;
        done.calls += run.world.schedule.calls;
        run.close();
      }
    }),
    { seed, numRuns: runs, endOnFailure: true },
  );
  if (!found.failed) return done;
  const sentence = found.errorInstance instanceof Error ? found.errorInstance.message : String(found.errorInstance);
  const short = failed === undefined || !shrink || table !== undefined ? undefined : await shortened(failed);
  const told = short ?? { steps: failed ?? [], sentence };
  return {
    ...done,
    failure: [
      `seed ${String(seed)}, run ${String(done.runs)}`,
      told.sentence,
      ...told.steps.map((each) => JSON.stringify(each)),
    ].join('\n'),
  };
}

const SHRINK_MS = 60_000;

/** Leaves out steps, and parts of steps, as long as what is left fails as well; for at most a minute. */
async function shortened(failing: Step[]): Promise<{ steps: Step[]; sentence: string } | undefined> {
  const until = performance.now() + SHRINK_MS;
  let best: { steps: Step[]; sentence: string } | undefined;
  let steps = failing;
  const stillFails = async (fewer: Step[]): Promise<boolean> => {
    if (performance.now() > until) return false;
    const run = new Run();
    try {
      for (const each of fewer) await run.take(each);
      await run.finish();
      return false;
    } catch (error) {
      best = { steps: fewer, sentence: error instanceof Error ? error.message : String(error) };
      steps = fewer;
      return true;
    } finally {
      run.close();
    }
  };
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = steps.length - size; from > -size; from -= size)
      await stillFails(steps.filter((_, index) => index < from || index >= from + size));
  for (let index = 0; index < steps.length; index += 1)
    for (const simpler of simplerThan(steps[index]))
      await stillFails(steps.map((each, n) => (n === index ? simpler : each)));
  return best;
}

function simplerThan(step: Step | undefined): Step[] {
  if (step === undefined) return [];
  const { kill, ...rest } = step;
  return [
    ...(kill === undefined ? [] : [rest, { ...rest, kill: { ...kill, meanwhile: [] } }]),
    ...(step.twice ? [{ ...step, twice: false }] : []),
    ...(step.acts.length > 1
      ? step.acts.map((_, left) => ({ ...step, acts: step.acts.filter((_act, n) => n !== left) }))
      : []),
  ];
}

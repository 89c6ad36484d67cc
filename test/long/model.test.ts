import { z } from 'zod';

import { modelRuns } from '../model/runs';
import { keep, minutesOf } from './box';
import { prove } from './proof';

/**
 * 2,000 runs of 60 commands against the model, in boxes of a few minutes. MODEL_SEED, MODEL_RUNS, MODEL_LENGTH and MODEL_MINUTES (at most
 * ten) are its settings; MODEL_FRESH=1 forgets what was done. A run that fails is made as short as it can be.
 */
const SEED = Number(process.env['MODEL_SEED'] ?? 1);
const RUNS = Number(process.env['MODEL_RUNS'] ?? 2_000);
const LENGTH = Number(process.env['MODEL_LENGTH'] ?? 60);
const MINUTES = minutesOf(process.env['MODEL_MINUTES']);
/** After so many failures there is nothing more to be learnt. */
const MOST_FAILURES = Number(process.env['MODEL_FAILURES'] ?? 5);
/** Runs of one seed. */
const ROUND = 5;

const stateSchema = z.object({
  rounds: z.int(),
  runs: z.int(),
  commands: z.int(),
  calls: z.int(),
  seconds: z.number(),
  failures: z.array(z.string()),
});

test('whatever people do, whatever crashes and arrives twice: what stands is what may be', async () => {
  const fresh = { rounds: 0, runs: 0, commands: 0, calls: 0, seconds: 0, failures: [] };
  const kept = keep(`model-${String(SEED)}-${String(LENGTH)}`, stateSchema, fresh);
  const { state } = kept;
  if (process.env['MODEL_FRESH'] === '1') Object.assign(state, fresh, { failures: [] });
  const begun = performance.now();
  const until = begun + MINUTES * 60_000;
  while (state.runs < RUNS && performance.now() < until) {
    const before = performance.now();
    const found = await modelRuns({ seed: SEED * 1_000_003 + state.rounds, runs: ROUND, length: LENGTH });
    state.rounds += 1;
    state.runs += found.runs;
    state.commands += found.commands;
    state.calls += found.calls;
    state.seconds += (performance.now() - before) / 1_000;
    if (found.failure !== undefined) state.failures.push(found.failure);
    kept.save();
    if (state.failures.length >= MOST_FAILURES) break;
  }
  const { runs, commands, calls, failures, seconds } = state;
  const perMinute = Math.round((runs / seconds) * 60);
  const line = { part: 'model', seed: SEED, runs, wanted: RUNS, commands, calls, perMinute, failures: failures.length };
  kept.summary(line);
  prove(
    'model',
    `| seed ${String(SEED)} | ${String(runs)} runs of ${String(LENGTH)} commands | ${String(calls)} calls | ${String(perMinute)} runs a minute | ${failures.length === 0 ? 'no run failed' : `${String(failures.length)} runs failed`} |`,
  );
  expect(failures).toEqual([]);
});

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { z } from 'zod';

import { routes } from '../../functions/routes';
import { callsOf, openFuzzedHouse } from '../http/app/fuzzing';
import { prove } from './proof';

/**
 * 100,000 generated calls over all doors, in boxes of a few minutes. What is done stands in `build/long/fuzz-{seed}.json`: the same command
 * again goes on from there. FUZZ_SEED, FUZZ_CALLS and FUZZ_MINUTES (at most ten) are its settings.
 */
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const CALLS = Number(process.env['FUZZ_CALLS'] ?? 100_000);
const MINUTES = Math.min(10, Number(process.env['FUZZ_MINUTES'] ?? 9));
/** Calls of one door in a row; every round has a seed of its own. */
const ROUND = 20;
/** Failures that are written down in full. */
const MOST_TOLD = 50;

const folder = join(__dirname, '..', '..', 'build', 'long');
const file = join(folder, `fuzz-${String(SEED)}.json`);

const stateSchema = z.object({
  rounds: z.int(),
  cases: z.int(),
  reached: z.int(),
  statuses: z.record(z.string(), z.int()),
  failures: z.int(),
  told: z.array(z.object({ door: z.string(), seed: z.int(), path: z.string(), sentence: z.string() })),
});
type State = z.output<typeof stateSchema>;

const open = (): State =>
  existsSync(file)
    ? stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    : { rounds: 0, cases: 0, reached: 0, statuses: {}, failures: 0, told: [] };

test('whatever the doors are sent, they keep what they promise', async () => {
  mkdirSync(folder, { recursive: true });
  const state = open();
  const house = await openFuzzedHouse();
  const until = performance.now() + MINUTES * 60_000;
  try {
    while (state.cases < CALLS && performance.now() < until) {
      const before = { reached: house.reached(), statuses: { ...house.statuses } };
      for (const route of routes) {
        const seed = SEED * 1_000_003 + state.rounds;
        const found = await fc.check(
          fc.asyncProperty(callsOf(route), async (call) => {
            // without shrinking: a call changes the house, so that a shorter one says less than this one
            state.cases += 1;
            await house.run(route, call);
          }),
          { seed, numRuns: ROUND, endOnFailure: true },
        );
        if (!found.failed) continue;
        state.failures += 1;
        const sentence =
          found.errorInstance instanceof Error ? found.errorInstance.message : String(found.errorInstance);
        if (state.told.length < MOST_TOLD)
          state.told.push({ door: route.name, seed, path: found.counterexamplePath ?? '', sentence });
      }
      state.rounds += 1;
      state.reached += house.reached() - before.reached;
      for (const [status, count] of Object.entries(house.statuses))
        state.statuses[status] = (state.statuses[status] ?? 0) + count - (before.statuses[status] ?? 0);
      writeFileSync(file, JSON.stringify(state, null, 1));
    }
  } finally {
    await house.close();
    const { cases, failures, reached, statuses } = state;
    writeFileSync(
      join(folder, 'summary.json'),
      JSON.stringify({ cases, seed: SEED, failures, wanted: CALLS, reached, statuses }),
    );
    const outcome = failures === 0 ? 'no promise broken' : `${String(failures)} rounds of a door broke a promise`;
    const counts = `${String(cases)} of ${String(CALLS)} calls | ${String(reached)} came to the app`;
    prove('fuzz', `| seed ${String(SEED)} | ${counts} | ${outcome} |`);
  }
  expect(state.told.map(({ door, sentence }) => `${door}: ${sentence}`)).toEqual([]);
  expect(state.reached / state.cases).toBeGreaterThan(0.85);
});

import { z } from 'zod';

import { caseCount, openMatrix } from '../faults/matrix';
import { keep, minutesOf } from './box';
import { prove } from './proof';

/**
 * Every outgoing call of a request's story with every fault, in boxes of a few minutes. FAULTS_SEED chooses the order, and at which of the
 * calls the fault comes; FAULTS_MINUTES (at most ten) is the time, and FAULTS_FRESH=1 forgets what was done.
 */
const SEED = Number(process.env['FAULTS_SEED'] ?? 1);
const MINUTES = minutesOf(process.env['FAULTS_MINUTES']);
/** Cases that are played side by side, each in a house of its own: a story waits more than it computes. */
const HOUSES = 2;

const stateSchema = z.object({
  cases: z.int(),
  /** Cases in which the call was made at least once while the fault was there. */
  met: z.int(),
  hits: z.int(),
  failures: z.array(z.string()),
});

test('whatever outgoing call goes wrong in whatever way, a request ends as if it had not', async () => {
  const fresh = { cases: 0, met: 0, hits: 0, failures: [] };
  const kept = keep(`faults-${String(SEED)}`, stateSchema, fresh);
  const { state } = kept;
  if (process.env['FAULTS_FRESH'] === '1') Object.assign(state, fresh, { failures: [] });
  const until = performance.now() + MINUTES * 60_000;
  const houses = await Promise.all(Array.from({ length: HOUSES }, () => openMatrix(SEED)));
  try {
    while (state.cases < caseCount && performance.now() < until) {
      const playing = houses.slice(0, caseCount - state.cases);
      // what is kept are whole rounds, so that no case is left out where the next box goes on
      const round = await Promise.all(playing.map((house, place) => house.play(state.cases + place)));
      state.cases += round.length;
      for (const { title, hits, wrong } of round) {
        state.hits += hits;
        if (hits > 0) state.met += 1;
        state.failures.push(...wrong.map((sentence) => `${title}: ${sentence}`));
      }
      kept.save();
    }
  } finally {
    await Promise.all(houses.map((house) => house.close()));
  }
  const { cases, met, hits, failures } = state;
  kept.summary({ part: 'faults', seed: SEED, cases, wanted: caseCount, met, hits, failures: failures.length });
  prove(
    'faults',
    `| seed ${String(SEED)} | ${String(cases)} of ${String(caseCount)} cases | ${String(met)} met their fault, ${String(hits)} times in all | ${failures.length === 0 ? 'every request ended right' : `${String(failures.length)} differences`} |`,
  );
  expect(failures).toEqual([]);
});

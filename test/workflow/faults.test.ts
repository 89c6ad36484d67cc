import { listed, nameOf } from '../faults/calls';
import { openMatrix } from '../faults/matrix';
import type { Matrix } from '../faults/matrix';

/**
 * Every outgoing call against every fault (docs/proof.md). Here a few of them; `npm run test:long -- faults` plays them all.
 */
const SAMPLE = { seed: 3, size: 6 };

let matrix: Matrix;
beforeAll(async () => {
  matrix = await openMatrix(SAMPLE.seed);
});
afterAll(() => matrix.close());

test('a call that the app makes anew can not be forgotten by the fault matrix: each is in its list, and none that is not made', () => {
  expect([...matrix.counts.keys()].sort()).toEqual(listed.map(nameOf));
});

test('whatever outgoing call goes wrong in whatever way, a request ends as if it had not', async () => {
  const wrong: string[] = [];
  let met = 0;
  for (let index = 0; index < SAMPLE.size; index += 1) {
    const played = await matrix.play(index);
    if (played.hits > 0) met += 1;
    wrong.push(...played.wrong.map((sentence) => `${played.title}: ${sentence}`));
  }
  expect(wrong).toEqual([]);
  expect(met).toBeGreaterThan(SAMPLE.size / 2);
}, 180_000);

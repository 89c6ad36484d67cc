import fc from 'fast-check';

import { routes } from '../../../functions/routes';
import { brokenPromises, callsOf, GOOD_FORMS, openFuzzedHouse } from './fuzzing';
import type { Call, FuzzedHouse } from './fuzzing';

/** A sample, the same every time; `test/long/fuzz.test.ts` makes 100,000 calls. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_124);
const CALLS = 624;

let house: FuzzedHouse;
beforeAll(async () => {
  house = await openFuzzedHouse();
});
afterAll(() => house.close());

test.each(routes.map((route) => [route.name, route] as const))(
  '%s answers whatever it is sent: no 5xx, no inside shown, in its own form, in time, and a refusal writes nothing',
  async (_name, route) => {
    const examples = (GOOD_FORMS[route.name] ?? []).map((call): [Call] => [call]);
    await fc.assert(
      fc.asyncProperty(callsOf(route), (call) => house.run(route, call)),
      { seed: SEED, numRuns: Math.ceil(CALLS / routes.length), endOnFailure: true, examples },
    );
  },
);

test('most of the calls came to the app’s own code, and some of them were good ones', () => {
  const { statuses } = house;
  const all = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  expect(all).toBeGreaterThanOrEqual(600);
  expect(house.reached() / all).toBeGreaterThan(0.9);
  expect(house.takenFromSessions()).toBeGreaterThan(20);
  expect(Object.keys(statuses)).toEqual(
    expect.arrayContaining(['200', '202', '303', '400', '401', '403', '404', '409', '415']),
  );
});

test('an answer that breaks a promise is noticed', () => {
  const door = routes.find(({ name }) => name === 'fileJoinRequest');
  if (door === undefined) throw new Error('no door');
  const headers = { 'x-correlation-id': 'x', 'content-type': 'text/html', 'cache-control': 'public' };
  const text = 'TypeError: x\n    at y (/app/node_modules/z.js:1:1)';
  expect(brokenPromises(door, { status: 500, headers, text, ms: 2_001 })).toHaveLength(6);
});

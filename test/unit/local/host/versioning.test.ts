import { compareVersions, mayRun } from '../../../../local/host/durable/versioning';

test.each([
  ['', '1.0', -1],
  ['1.0', '1.0', 0],
  ['1.9', '1.10', -1],
  ['2.0', '1.10.5', 1],
  ['1.0', '1.0.0', -1],
  ['beta', 'Alpha', 1],
])('%j against %j is %d', (a, b, order) => {
  expect(Math.sign(compareVersions(a, b))).toBe(order);
});

test.each([
  ['CurrentOrOlder', '1.0', true],
  ['CurrentOrOlder', null, true],
  ['CurrentOrOlder', '3.0', false],
  ['Strict', '2.0', true],
  ['Strict', '1.0', false],
  ['None', '9.0', true],
] as const)('%s at version 2.0 runs an instance of version %j: %s', (versionMatchStrategy, version, runs) => {
  expect(mayRun(version, { defaultVersion: '2.0', versionMatchStrategy })).toBe(runs);
});

test('an app without a version runs whatever comes', () => {
  expect(mayRun('7.0', { versionMatchStrategy: 'CurrentOrOlder' })).toBe(true);
});

import shared from '../../jest.config.mjs';

const [{ displayName: _displayName, testMatch: _testMatch, ...common }] = shared.projects;

/** Suites of many minutes: `npm run test:long -- <name>`. What they found stands in `build/long`, and is the last line that is printed. */
export default {
  ...common,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/long/**/*.test.ts'],
  testTimeout: 900_000,
  maxWorkers: 1,
  reporters: ['default', '<rootDir>/test/long/summary-line.cjs'],
};

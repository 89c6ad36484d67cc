import { fileURLToPath } from 'node:url';

/** Changes `shared/domain` in thousands of small ways, and counts those that no unit test notices. */
export default {
  testRunner: 'jest',
  plugins: [fileURLToPath(import.meta.resolve('@stryker-mutator/jest-runner'))],
  jest: { projectType: 'custom', configFile: 'bench/mutation/jest.config.mjs', enableFindRelatedTests: false },
  mutate: ['shared/domain/**/*.ts'],
  ignorePatterns: ['/build', '/dist', '/docs', '/infra', '/bench/mutation/node_modules'],
  coverageAnalysis: 'perTest',
  // a constant of a module is set before any test runs: all tests would have to run for each
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 10_000,
  reporters: ['clear-text', 'json', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: 'build/mutation/mutation.json' },
  htmlReporter: { fileName: 'build/mutation/mutation.html' },
  tempDirName: 'build/mutation/sandbox',
  incremental: true,
  incrementalFile: 'build/mutation/incremental.json',
  thresholds: { high: 95, low: 90, break: 90 },
};

import { fileURLToPath } from 'node:url';
import all from '../../jest.config.mjs';

const [unit] = all.projects;

/** The unit tests of what is mutated, in one project: Stryker tells each test by itself. */
export default {
  ...unit,
  rootDir: fileURLToPath(new URL('../..', import.meta.url)),
  displayName: undefined,
  testEnvironment: '@stryker-mutator/jest-runner/jest-env/node',
  testMatch: ['<rootDir>/test/unit/shared/domain/**/*.test.ts'],
};

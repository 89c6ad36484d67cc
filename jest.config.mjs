const common = {
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/dist/'],
  transform: {
    '^.+\\.(ts|js|mjs)$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  // jose is published as ES modules only
  transformIgnorePatterns: ['/node_modules/(?!(jose)/)'],
};
const project = (displayName, folder = displayName) => ({
  ...common,
  displayName,
  testMatch: [`<rootDir>/test/${folder}/**/*.test.ts`],
});

// the stacks that tests start need not be small, and their hosts are killed so often that reading the map of the app costs minutes
process.env.LOCAL_STACK_MEMORY ??= 'roomy';
process.env.LOCAL_STACK_MAPS ??= 'off';

export default {
  projects: [project('unit'), project('workflow'), project('http'), project('browser')],
  testTimeout: 60_000,
  maxWorkers: 2,
};

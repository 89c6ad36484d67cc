import tseslint from 'typescript-eslint';

// Dependencies point one way: functions → orchestrations → shared → shared/domain. The app never knows about local/, cli/ or test/.
const forbid = (...folders) => [
  'error',
  {
    patterns: folders.map((folder) => ({
      regex: `^(\\.\\./)+${folder}(/|$)`,
      message: `This layer may not import ${folder}/ (see docs/architecture.md).`,
    })),
  },
];

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'node_modules/', '.gatehouse/', 'coverage/'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  {
    files: ['functions/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': forbid('local', 'cli', 'test') },
  },
  {
    files: ['orchestrations/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': forbid('functions', 'local', 'cli', 'test') },
  },
  {
    files: ['shared/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': forbid('functions', 'orchestrations', 'local', 'cli', 'test'),
    },
  },
  {
    files: ['shared/domain/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^\\.\\./', message: 'The domain imports nothing of ours but the domain.' },
            {
              regex: '^(@azure|@microsoft|durable-functions|node:)',
              message: 'The domain does no I/O and knows no SDK.',
            },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'fetch', 'process', 'setTimeout', 'setInterval'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'The domain has no clock of its own: pass the time in.' },
      ],
    },
  },
  {
    files: ['cli/**/*.ts'],
    ignores: ['cli/write-operations.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': forbid('functions', 'orchestrations', 'test') },
  },
  {
    files: ['local/host/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': forbid(
        'functions',
        'orchestrations',
        'shared',
        'test',
        'directory',
        'entra',
        'mail',
        'front-door',
        'stack',
      ),
    },
  },
  { files: ['local/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'], rules: { 'no-console': 'off' } },
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
);

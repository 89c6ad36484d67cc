import { describeApi } from '../../../functions/api-document';
import { routes } from '../../../functions/routes';
import { findCommand, optionFieldsOf, optionName, ownOptionsOf, positionalsOf } from '../../../cli/arguments';
import { commands, WITHOUT_COMMAND } from '../../../cli/commands';
import { operationsIn } from '../../../cli/operations';
import type { ApiDocument, OperationId } from '../../../cli/operations';
import written from '../../../cli/operations.json';
import { COMMON } from '../../../cli/settings';

const described = operationsIn(describeApi(routes, 'http://localhost') as unknown as ApiDocument);

test('cli/operations.json is what the API says of itself: where this fails, run npm run cli:operations', () => {
  expect(written).toEqual(described);
});

test('every operation of the API has a command, or a reason why it has none', () => {
  const named = new Set<string>(commands.flatMap((command) => [command.operation, command.default ?? []].flat()));
  const used = ['readJoinRequest', 'dryRunPolicy'];
  const without = Object.keys(described).filter((id) => !named.has(id));
  expect(without.toSorted()).toEqual(Object.keys(WITHOUT_COMMAND).toSorted());
  expect(used.every((id) => id in described)).toBe(true);
});

test.each(commands.map((command) => [command.words, command] as const))(
  '%s names only operations, parameters and fields that the API has',
  (_words, command) => {
    for (const id of [command.operation, ...(command.default === undefined ? [] : [command.default])]) {
      const operation = described[id];
      expect(operation).toBeDefined();
      const fields = operation!.fields.map(({ name }) => name);
      expect(fields).toEqual(expect.arrayContaining([...(command.without ?? [])]));
    }
    const fields = described[command.operation]!.fields;
    const names = fields.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...(command.positionals ?? [])]));
    if (command.file !== undefined && command.file !== 'body') expect(names).toContain(command.file);
    // a body that is one of several forms has no fields of its own
    if (command.file === 'body') expect(described[command.operation]!.method).toMatch(/^(POST|PUT)$/);
    // nothing that the API needs is left out
    const given = [...positionalsOf(command), ...optionFieldsOf(command)].map(({ name }) => name);
    for (const field of fields.filter(({ required }) => required))
      expect([...given, ...(command.without ?? []), command.file]).toContain(
        command.file === 'body' && field.in === 'body' ? 'body' : field.name,
      );
    expect(positionalsOf(command).map(({ name }) => name)).toEqual(
      expect.arrayContaining(fields.filter((field) => field.in === 'path').map(({ name }) => name)),
    );
  },
);

test.each(commands.map((command) => [command.words, command] as const))(
  '%s: no option stands for two things',
  (_words, command) => {
    const names = [
      ...optionFieldsOf(command).map(({ name }) => optionName(name)),
      ...Object.keys(ownOptionsOf(command)),
      ...Object.keys(COMMON),
    ];
    expect(names).toEqual([...new Set(names)]);
    const letters = Object.values({ ...COMMON, ...ownOptionsOf(command) }).flatMap(({ short }) => short ?? []);
    expect(letters).toEqual([...new Set(letters)]);
  },
);

test('commands are found by their words, wherever common options stand', () => {
  expect(commands.map(({ words }) => words)).toEqual([...new Set(commands.map(({ words }) => words))]);
  for (const command of commands)
    expect(findCommand([...command.words.split(' '), 'more'], commands)).toEqual({ command, rest: ['more'] });
  expect(findCommand(['--as', 'olivia', '--local', 'ops', 'list', '--all'], commands)?.rest).toEqual([
    '--as',
    'olivia',
    '--local',
    '--all',
  ]);
  expect(findCommand(['ops'], commands)).toBeUndefined();
  expect(findCommand(['ops', 'dance'], commands)).toBeUndefined();
});

describe('what is read from an API document', () => {
  const fieldsFor = (properties: Record<string, unknown>, required: string[] = []) =>
    operationsIn({
      paths: {
        '/api/things': {
          post: {
            operationId: 'makeThing',
            summary: 'Make a thing',
            description: 'Anyone.',
            security: [],
            parameters: [],
            requestBody: { content: { 'application/json': { schema: { properties, required } } } },
          },
        },
      },
    } as unknown as ApiDocument)['makeThing']!.fields;

  test.each([
    ['text', { type: 'string' }, { kind: 'text' }],
    ['one of several texts', { type: 'string', enum: ['a', 'b'] }, { kind: 'text', choices: ['a', 'b'] }],
    ['any of several kinds of text', { anyOf: [{ type: 'string' }, { const: 'x', type: 'string' }] }, { kind: 'text' }],
    ['a whole number', { type: 'integer', default: 50 }, { kind: 'integer', default: 50 }],
    ['yes or no', { type: 'boolean' }, { kind: 'boolean' }],
    ['a list of texts', { type: 'array', items: { type: 'string' } }, { kind: 'list' }],
    ['a list of objects', { type: 'array', items: { type: 'object' } }, { kind: 'json' }],
    ['an object', { type: 'object', properties: {} }, { kind: 'json' }],
    ['a text or an object', { anyOf: [{ type: 'string' }, { type: 'object' }] }, { kind: 'json' }],
  ])('%s', (_what, schema, expected) => {
    expect(fieldsFor({ some: schema })).toEqual([{ name: 'some', in: 'body', required: false, ...expected }]);
  });

  test('what must be given', () => {
    expect(fieldsFor({ some: { type: 'string', description: 'Why.' } }, ['some'])).toEqual([
      { name: 'some', in: 'body', required: true, kind: 'text', description: 'Why.' },
    ]);
  });
});

test('every reason is for an operation that there is', () => {
  for (const id of Object.keys(WITHOUT_COMMAND) as OperationId[]) expect(described[id]).toBeDefined();
});

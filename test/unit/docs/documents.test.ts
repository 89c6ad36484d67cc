import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { settingNames } from '../../../shared/config';
import { policySchema } from '../../../shared/domain/policy';

const root = join(__dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('every dependency says in docs/dependencies.md why it was chosen, and no line is left of one that went', () => {
  const wanted = ['package.json', 'bench/mutation/package.json'].flatMap((file) => {
    const manifest = JSON.parse(read(file)) as Record<string, Record<string, string> | undefined>;
    return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
      Object.keys(manifest[kind] ?? {}),
    );
  });
  const lines = read('docs/dependencies.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const listed = lines.flatMap((line) =>
    [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );
  expect(listed.toSorted()).toEqual(wanted.toSorted());
});

test('every setting of the app stands in local.settings.example.json', () => {
  const { Values } = JSON.parse(read('local.settings.example.json')) as { Values: Record<string, string> };
  expect(settingNames.filter((name) => !(name in Values))).toEqual([]);
});

test('the documents link to files that exist', () => {
  const documents = [
    'README.md',
    'local/README.md',
    ...readdirSync(join(root, 'docs'), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];
  const broken = documents.flatMap((document) =>
    [...read(document).matchAll(/\]\((?!https?:)([^)#]+)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !existsSync(join(root, dirname(document), target))),
  );
  expect(broken).toEqual([]);
});

test('the example of docs/policies.md is a policy', () => {
  const example = /```json\n([\s\S]*?)```/.exec(read('docs/policies.md'))?.[1] ?? '';
  expect(policySchema.safeParse(JSON.parse(example)).error).toBeUndefined();
});

test('every field of a policy stands in docs/policies.md', () => {
  const text = read('docs/policies.md');
  for (const field of Object.keys(policySchema.parse({ maximumDuration: 'P1D', coolDown: 'P1D' })))
    expect(text).toContain(`\`${field}`);
});

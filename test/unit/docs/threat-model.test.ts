import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { routes } from '../../../functions/routes';
import { ROLES } from '../../../shared/web/tokens';

const root = join(__dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const text = read('docs/threat-model.md');
const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map(cellsOf);
const QUOTES = ["'", '"', '`'];
const threats = rows.filter(([id = '']) => /^[STRIDE]\d+$/.test(id));
const doors = rows.filter(([door = '']) => /^`[A-Z]+ \//.test(door));

test('every door stands in the threat model, and no door that there is not', () => {
  expect(doors.map(([door = '']) => door.replaceAll('`', '')).toSorted()).toEqual(
    routes.map(({ method, route }) => `${method} /api/${route}`).toSorted(),
  );
});

test('every threat names the tests that prove what stops it, and each of them exists', () => {
  const missing = threats.flatMap(([id = '', , , proofs = '']) =>
    proofs.split('<br>').flatMap((proof) => {
      const [, file = '', name = ''] = /^`([^`]+)` › (.+)$/.exec(proof.trim()) ?? [];
      if (!existsSync(join(root, file))) return [`${id}: ${proof}`];
      const source = read(file);
      return QUOTES.some((quote) => source.includes(quote + name + quote)) ? [] : [`${id}: ${proof}`];
    }),
  );
  expect(missing).toEqual([]);
  expect(threats.length).toBeGreaterThan(20);
});

test('a door faces only threats that are described, each under its letter, and every threat is met at a door or at all', () => {
  const known = new Set(threats.map(([id]) => id));
  const faced = doors.flatMap(([, ...cells]) =>
    cells.flatMap((cell, column) =>
      cell
        .split(' ')
        .filter((id) => id !== '')
        .map((id) => ({ id, letter: 'STRIDE'[column] })),
    ),
  );
  expect(faced.filter(({ id, letter }) => !known.has(id) || !id.startsWith(letter ?? '?'))).toEqual([]);
  const everywhere = ['S1', 'S2', 'S3', 'T1', 'I2', 'I3', 'I4', 'D1', 'E1', 'E4'];
  const met = new Set([...faced.map(({ id }) => id), ...everywhere]);
  expect([...known].filter((id) => !met.has(id ?? ''))).toEqual([]);
});

test('every role of the app is an actor there', () => {
  const actors = Object.values(ROLES).filter((role) => !role.startsWith('AzureEventGrid'));
  expect(actors.filter((role) => !text.includes(`\`${role}\``))).toEqual([]);
});

test('docs/graph-permissions.md says of each feature what the script gives', () => {
  const features = JSON.parse(read('infra/graph-permissions/features.json')) as Record<
    string,
    { permissions: string[] }
  >;
  const listed = read('docs/graph-permissions.md')
    .split('\n')
    .map((line) => cellsOf(line))
    .filter(([name = '']) => /^`[a-z-]+`$/.test(name));
  expect(
    Object.fromEntries(listed.map(([name = '', permissions = '']) => [name.replaceAll('`', ''), permissions])),
  ).toEqual(
    Object.fromEntries(
      Object.entries(features).map(([name, { permissions }]) => [
        name,
        permissions.map((each) => `\`${each}\``).join(', '),
      ]),
    ),
  );
});

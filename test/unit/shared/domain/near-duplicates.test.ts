import fc from 'fast-check';

import { editDistance, nearDuplicates, nearDuplicateSearch } from '../../../../shared/domain/near-duplicates';
import type { ExistingName, Resemblance } from '../../../../shared/domain/near-duplicates';
import { point } from './code-points';

const existing = (...names: string[]): ExistingName[] =>
  names.map((displayName, index) => ({ id: String(index), displayName }));

test.each<[string, string, Resemblance]>([
  ['Marketing', 'MARKETING', 'same'],
  ['Marketing', 'Mаrkеting', 'same'],
  ['Team Blue', 'team-blue', 'same'],
  ['Team Blue', 'TeamBlue', 'same'],
  ['Equipe Ete', 'Équipe Été', 'same'],
  ['Sales EMEA', 'EMEA Sales', 'same-words'],
  ['Marketing', 'Marketting', 'spelling'],
  ['Marketing', 'Makreting', 'spelling'],
  ['Sales EMEA', 'The Sales team EMEA', 'spelling'],
  ['Sales EMEA', 'Sales EMEA Nordics', 'words'],
  ['Team Blue', 'Team Bleu', 'spelling'],
  ['All members of the team', 'All membres of the team', 'spelling'],
  ['Marketing EMEA', 'Marketing EMEA 2', 'words'],
])('%j is near %j: %s', (wished, name, resemblance) => {
  expect(nearDuplicates(wished, existing('Printers 3rd floor', name))).toMatchObject([{ id: '1', resemblance }]);
});

test.each([
  ['Marketing', 'Printers'],
  ['Project 2025', 'Project 2026'],
  ['Team Blue', 'Team Red'],
  ['The group of all users', 'Team of all members'],
  ['HR', 'IT'],
  ['Members of the HR team', 'Members of the IT team'],
  ['', ''],
  ['!!!', '???'],
])('%j is not near %j', (wished, name) => {
  expect(nearDuplicates(wished, existing(name))).toEqual([]);
});

test('the closest come first, and no more than asked for', () => {
  const names = existing('Sales EMEA North', 'Sales EMEE', 'EMEA Sales', 'sales emea', 'Finance');
  const found = nearDuplicates('Sales EMEA', names, { limit: 3 });
  expect(found.map(({ displayName }) => displayName)).toEqual(['sales emea', 'EMEA Sales', 'Sales EMEE']);
  expect(found[0]?.score).toBe(1);
});

test('the order in which names are offered makes no difference', () => {
  const names = existing('Blue Team', 'Team Bleu', 'team blue', 'Blue', 'Team Blue 2', 'Teem Blue', 'Red', 'BlueTeam');
  fc.assert(
    fc.property(fc.shuffledSubarray(names, { minLength: names.length }), (shuffled) => {
      const search = nearDuplicateSearch('Team Blue', { limit: 4 });
      shuffled.forEach((each) => {
        search.offer(each);
      });
      expect(search.closest()).toEqual(nearDuplicates('Team Blue', names, { limit: 4 }));
    }),
  );
});

test('scores lie between the least and 1, are the same both ways, and only what reads the same has 1', () => {
  const word = fc.constantFrom('Blue', 'Bleu', 'team', 'Sales', 'sаles', '2025', '2026', 'EMEA', '-', '日本');
  const name = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(name, name, (one, other) => {
      const [there] = nearDuplicates(one, existing(other));
      const [back] = nearDuplicates(other, existing(one));
      expect(there?.score).toBe(back?.score);
      if (there === undefined) return;
      expect(there.score).toBeGreaterThanOrEqual(0.65);
      expect(there.score).toBeLessThanOrEqual(1);
      expect(there.score === 1).toBe(there.resemblance === 'same');
    }),
    { numRuns: 300 },
  );
});

test('no text makes it fail, and every name with a letter is nearest to itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: point, maxLength: 30 }), fc.string({ unit: point }), (wished, name) => {
      const found = nearDuplicates(wished, existing(name, `${wished}\u200b`));
      if (/[a-z0-9]/.test(wished)) expect(found[0]?.score).toBe(1);
    }),
  );
});

/** Optimal string alignment without the band. */
function distance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1];
      current[column] = Math.min(
        rows[row - 1]![column]! + 1,
        current[column - 1]! + 1,
        rows[row - 1]![column - 1]! + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]) {
        current[column] = Math.min(current[column]!, rows[row - 2]![column - 2]! + 1);
      }
    }
    rows.push(current);
  }
  return rows[one.length]![other.length]!;
}

test('the distance within a limit is the true one, and one more than the limit beyond it', () => {
  const text = fc.stringMatching(/^[abc]{0,9}$/);
  fc.assert(
    fc.property(text, text, fc.nat(9), (one, other, most) => {
      expect(editDistance(one, other, most)).toBe(Math.min(distance(one, other), most + 1));
    }),
    { numRuns: 1_000 },
  );
});

test('of many names the closest are kept', () => {
  const search = nearDuplicateSearch('Marketing EMEA North', { limit: 3 });
  for (let n = 0; n < 500; n += 1) search.offer({ id: String(n), displayName: `Printer ${String(n)} floor` });
  search.offer({ id: 'a', displayName: 'Marketing EMEA Nord' });
  search.offer({ id: 'b', displayName: 'marketing emea north' });
  for (let n = 0; n < 500; n += 1) search.offer({ id: String(n), displayName: `Marketing EMEA ${String(n)}` });
  expect(search.closest()).toHaveLength(3);
  expect(search.closest().map(({ id }) => id)).toEqual(['b', 'a', expect.any(String)]);
});

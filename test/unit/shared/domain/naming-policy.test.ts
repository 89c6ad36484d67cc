import fc from 'fast-check';

import {
  blockedWordsIn,
  fullName,
  namingPolicyViolations,
  readNamingPolicy,
} from '../../../../shared/domain/naming-policy';
import type { NamingPolicy } from '../../../../shared/domain/naming-policy';
import { point } from './code-points';

function policy(requirement: string, blockedWords = ''): NamingPolicy {
  const result = readNamingPolicy(requirement, blockedWords);
  if (result.kind === 'invalid') throw new Error(result.sentence);
  return result.policy;
}

const person = {
  Department: 'Engineering',
  Company: 'Contoso',
  Office: '12/3',
  StateOrProvince: 'Bavaria',
  CountryOrRegion: 'DE',
  Title: 'Lead',
};

test.each([
  ['', 'My Group'],
  ['[GroupName]', 'My Group'],
  ['GRP [GroupName] [Department]', 'GRP My Group Engineering'],
  ['GRP_[GroupName]_[Department]', 'GRP_My Group_Engineering'],
  ['[Company][Office][GroupName][StateOrProvince]', 'Contoso12/3My GroupBavaria'],
  ['[CountryOrRegion]-[GroupName] ([Title])', 'DE-My Group (Lead)'],
  ['[Contoso-][GroupName]', 'Contoso-My Group'],
  ['[postalCode][GroupName]', 'postalCodeMy Group'],
  ['[x [GroupName]]', '[x My Group]'],
])('the policy %j makes %j', (requirement, name) => {
  expect(fullName(policy(requirement), 'My Group', person).displayName).toBe(name);
});

test('an attribute that the person lacks leaves its place empty, and is told', () => {
  const full = fullName(policy('[StateOrProvince]-[GroupName]-[Title]-[StateOrProvince]'), 'TEAM', { Title: null });
  expect(full).toEqual({
    prefix: '-',
    suffix: '--',
    displayName: '-TEAM--',
    missing: ['StateOrProvince', 'Title'],
  });
});

test('a name with a token in it is not filled in', () => {
  expect(fullName(policy('X-[GroupName]'), '[Department] [GroupName] $&', person).displayName).toBe(
    'X-[Department] [GroupName] $&',
  );
});

test.each(['Test-[Department]', '[GroupName]-[GroupName]', '[groupname]'])(
  'the setting %j is none that Entra takes',
  (requirement) => {
    expect(readNamingPolicy(requirement, '')).toMatchObject({ kind: 'invalid' });
  },
);

test.each([
  ['Payroll', 'Payroll'],
  ['team PAYROLL 2', 'Payroll'],
  ['payroll_team', 'Payroll'],
  ['The C.E.O club', 'c.e.o'],
  ['Top secret things', 'top secret'],
  ['HR/IT', 'HR'],
  ['***', '***'],
])('%j has the blocked word %j', (name, word) => {
  const found = blockedWordsIn(policy('', 'Payroll, c.e.o , top secret,HR,,***'), name);
  expect(found.map((each) => each.word)).toEqual([word]);
});

test.each(['Class', 'Payrolls', 'Chrome', 'secret top', 'top', 'top of the world', 'Pаyroll', 'Páyroll', 'a***b', ''])(
  '%j has no blocked word, since Entra finds whole words only',
  (name) => {
    expect(blockedWordsIn(policy('', 'lass,Payroll,HR,top secret,***'), name)).toEqual([]);
  },
);

test('the place of a blocked word is that of the whole phrase', () => {
  const name = 'our Top–Secret plans';
  const [found] = blockedWordsIn(policy('', 'top secret'), name);
  expect(name.slice(found?.at.start, found?.at.end)).toBe('Top–Secret');
});

test('words that come from the person’s attributes are not held against the name', () => {
  expect(namingPolicyViolations(policy('[Department] [GroupName]', 'HR'), 'Team', { Department: 'HR' })).toEqual([]);
});

test('a full name has 63 characters at most, and the sentence says how many are left', () => {
  const grp = policy('GRP_[GroupName]_[Department]');
  expect(namingPolicyViolations(grp, 'x'.repeat(47), person)).toEqual([]);
  const [violation, ...more] = namingPolicyViolations(grp, 'x'.repeat(48), person);
  expect(violation).toMatchObject({ rule: 'name-too-long', of: 'displayName' });
  expect(violation?.sentence).toContain('Use 47 or fewer.');
  expect(more).toEqual([]);
});

test('without prefix and suffix the policy sets no length', () => {
  expect(namingPolicyViolations(policy('', 'HR'), 'x'.repeat(200), person)).toEqual([]);
});

test('attributes that fill the name up alone are said to', () => {
  const [violation] = namingPolicyViolations(policy('[Title][GroupName]'), 'x', { Title: 't'.repeat(63) });
  expect(violation?.sentence).toMatch(/leaves no room/);
});

test('too long and blocked are told together', () => {
  const found = namingPolicyViolations(policy('X[GroupName]', 'HR,IT'), `HR IT ${'x'.repeat(60)}`, person);
  expect(found.map(({ rule }) => rule)).toEqual(['name-too-long', 'name-has-blocked-word', 'name-has-blocked-word']);
});

test('whatever the texts, the full name starts with the prefix, ends with the suffix and has the name between', () => {
  const text = fc.string({ unit: point, maxLength: 12 });
  const part = fc.oneof(text, fc.constantFrom('[Department]', '[Title]', '[Nothing]', '[', ']', '[['));
  const affix = fc.array(part, { maxLength: 3 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(affix, affix, text, text, (before, after, name, department) => {
      const result = readNamingPolicy(`${before}[GroupName]${after}`, name);
      if (result.kind === 'invalid') return;
      const full = fullName(result.policy, name, { Department: department });
      expect(full.displayName).toBe(full.prefix + name + full.suffix);
      namingPolicyViolations(result.policy, name, { Department: department });
    }),
  );
});

test('a blocked word is found as a word of its own in any case, and not with a letter beside it', () => {
  const word = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(
      word,
      fc.constantFrom('', ' ', '-', '_', '/', '(', '—', '😀'),
      fc.boolean(),
      (blocked, around, upper) => {
        const written = upper ? blocked.toUpperCase() : blocked;
        const rules = policy('', blocked);
        expect(blockedWordsIn(rules, `${around}${written}${around}`)).toHaveLength(1);
        expect(blockedWordsIn(rules, `${around}${written}é${around}`)).toHaveLength(0);
      },
    ),
  );
});

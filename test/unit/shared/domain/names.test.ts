import fc from 'fast-check';

import { fold, readingsOf, shapeOf, skeletonOf, wordsOf } from '../../../../shared/domain/look-alikes';
import {
  checkName,
  compileNameRules,
  deriveNickname,
  findBlockedWords,
  nicknameViolations,
  readabilityViolations,
  RESERVED_NAMES,
  securityNameViolations,
  tidyName,
} from '../../../../shared/domain/names';
import type { NameToCheck } from '../../../../shared/domain/names';
import { NO_NAMING_POLICY, readNamingPolicy } from '../../../../shared/domain/naming-policy';
import { point } from './code-points';

/** Any string at all: whole code points, or UTF-16 units with lone surrogates. */
const anyText = fc.oneof(
  fc.string({ unit: point, maxLength: 40 }),
  fc.string({ unit: point, maxLength: 40 }),
  fc.array(fc.nat(0xffff), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
  fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 10 }).map((units) => String.fromCharCode(...units)),
);

const rules = compileNameRules({
  blockedWords: ['payroll', 'Geheim', 'ass', 'HR', 'зарплата', 'νερό', '!!!'],
  allowedWords: ['Geheimrat', 'Class'],
  reservedNames: RESERVED_NAMES,
});
const blockedIn = (name: string): string[] => findBlockedWords(name, rules).map(({ word }) => word);

describe('folding', () => {
  test('folding a folded name changes nothing', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        const skeleton = skeletonOf(name);
        expect(skeletonOf(skeleton)).toBe(skeleton);
        expect(fold(name).text).toBe(skeleton);
        expect(shapeOf(wordsOf(name).join(''))).toBe(skeleton);
      }),
      { numRuns: 500 },
    );
  });

  test('code points fold to something that folds to itself', () => {
    const unstable: string[] = [];
    for (let code = 0; code < 0x20000; code += code < 0x3000 ? 1 : 7) {
      const char = String.fromCodePoint(code);
      const skeleton = skeletonOf(char);
      if (skeletonOf(skeleton) !== skeleton) unstable.push(code.toString(16));
    }
    expect(unstable).toEqual([]);
  });

  test('composition, case and compatibility forms make no difference', () => {
    fc.assert(
      fc.property(fc.string({ unit: point, maxLength: 20 }), (name) => {
        const skeleton = skeletonOf(name);
        expect(skeletonOf(name.normalize('NFC'))).toBe(skeleton);
        expect(skeletonOf(name.normalize('NFD'))).toBe(skeleton);
        expect(skeletonOf(name.normalize('NFKC'))).toBe(skeleton);
        expect(skeletonOf(name.toUpperCase().toLowerCase())).toBe(skeletonOf(name.toUpperCase()));
      }),
    );
  });

  test.each([
    ['Раyrоll', 'payroll'],
    ['ＰＡＹＲＯＬＬ', 'payroll'],
    ['𝓟𝓪𝔂𝓻𝓸𝓵𝓵', 'payroll'],
    ['🅿🅰🆈🆁🅾🅻🅻', 'payroll'],
    ['P4yr0l1', 'payroll'],
    ['ραγroll', 'payroll'],
    ['Straße', 'STRASSE'],
    ['ﬁnance', 'finance'],
    ['İstanbul', 'istanbul'],
  ])('%s reads as %s', (one, other) => {
    expect(skeletonOf(one)).toBe(skeletonOf(other));
  });

  test('every letter of a folded name knows its place in the name', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        for (const { text, from, to, before } of readingsOf(name)) {
          expect([from.length, to.length, before.length]).toEqual([text.length, text.length, text.length]);
          from.forEach((start, index) => {
            expect(start).toBeLessThan(to[index]!);
            expect(to[index]).toBeLessThanOrEqual(name.length);
            expect(start).toBeGreaterThanOrEqual(from[index - 1] ?? 0);
          });
        }
      }),
    );
  });

  test('words keep their digits and lose case, accents and invisible characters', () => {
    expect(wordsOf('Équi\u200bpe  “Été”-2026')).toEqual(['equipe', 'ete', '2026']);
  });
});

describe('blocked words of security groups', () => {
  const letters = [...'payroll'];
  const disguises: Record<string, string[]> = {
    p: ['p', 'P', 'р', 'ρ', 'ｐ', 'ṕ', 'ᴘ', '🅿'],
    a: ['a', 'A', 'а', 'α', '4', '@', 'á', 'Å', '𝒂'],
    y: ['y', 'Y', 'у', 'γ', 'ÿ', 'Υ', 'ү'],
    r: ['r', 'R', 'г', 'ř', 'ｒ', 'ᴿ'],
    o: ['o', 'O', '0', 'о', 'ο', 'օ', 'ø', 'ö', 'Ｏ'],
    l: ['l', 'L', '1', 'I', '|', 'ӏ', 'ł', 'ⅼ', 'í'],
  };
  const written = fc.tuple(...letters.map((letter) => fc.constantFrom(...(disguises[letter] ?? [letter]))));
  const glue = fc.constantFrom('', '', '.', '-', '_', '·', '\u200b', '\u00ad', '\u2060', '\u0301', '\u202e', '*', '"');
  const between = fc.tuple(...letters.map(() => glue));
  const around = fc.constantFrom('', 'x', 'Team', 'ö', '7', '-', ' ', '日本');

  test('are found however they are cased, accented, punctuated or written with look-alikes, inside words too', () => {
    fc.assert(
      fc.property(written, between, around, around, (word, gaps, before, after) => {
        const hidden = word.map((letter, index) => letter + (gaps[index] ?? '')).join('');
        expect(blockedIn(`${before}${hidden}${after}`)).toContain('payroll');
      }),
      { numRuns: 500 },
    );
  });

  test('are found with spaces between their letters, where they begin or end a word', () => {
    const space = fc.constantFrom('', ' ', '  ', '\u00a0', '\u3000', ' - ');
    fc.assert(
      fc.property(written, fc.tuple(...letters.map(() => space)), around, fc.boolean(), (word, gaps, beside, atEnd) => {
        const inner = word.map((letter, index) => (index === 0 ? '' : (gaps[index] ?? '')) + letter).join('');
        expect(blockedIn(atEnd ? `${beside}${inner}` : `${inner}${beside}`)).toContain('payroll');
      }),
      { numRuns: 500 },
    );
  });

  test('the place that is told is where the word stands', () => {
    fc.assert(
      fc.property(written, between, (word, gaps) => {
        const hidden = word.map((letter, index) => letter + (index < word.length - 1 ? gaps[index] : '')).join('');
        const name = `日 ${hidden} 本`;
        const [found] = findBlockedWords(name, rules);
        expect(name.slice(found?.at.start, found?.at.end)).toBe(hidden);
      }),
    );
  });

  test.each([
    ['Зарплата', 'зарплата'],
    ['ЗАРПЛАТА', 'зарплата'],
    ['ΝΕΡΌ', 'νερό'],
    ['H.R. Team', 'HR'],
    ['Team h r', 'HR'],
    ['Streng geheim', 'Geheim'],
    ['Geheimrat und geheim', 'Geheim'],
    ['ASS', 'ass'],
  ])('%s has %s', (name, word) => {
    expect(blockedIn(name)).toEqual([word]);
  });

  test.each([
    'Chrome',
    'Bach Rehearsal',
    'C\u200bhr\u200bome',
    'Glass',
    'Class',
    'Geheimrat',
    'GEHEIMRÄTE und Geheimrat',
    'Plan 3',
    '',
    '!!!',
  ])('%j has none', (name) => {
    expect(blockedIn(name)).toEqual([]);
  });

  test('a word that only comes about across a space does not count', () => {
    const strict = compileNameRules({ blockedWords: ['anal', 'rape'], allowedWords: [], reservedNames: [] });
    expect(findBlockedWords('Plan all', strict)).toEqual([]);
    expect(findBlockedWords('Higher aperture', strict)).toEqual([]);
    expect(findBlockedWords('Plan-al', strict)).toHaveLength(1);
    expect(findBlockedWords('Analysis', strict)).toHaveLength(1);
  });

  test('an allowed word passes however it is written, and not the blocked one beside it', () => {
    const word = fc.stringMatching(/^[a-z]{4,8}$/);
    const affix = fc.stringMatching(/^[a-z]{1,4}$/);
    fc.assert(
      fc.property(word, affix, affix, fc.boolean(), (blocked, before, after, upper) => {
        const allowed = `${before}${blocked}${after}`;
        const compiled = compileNameRules({ blockedWords: [blocked], allowedWords: [allowed], reservedNames: [] });
        const name = upper ? allowed.toUpperCase() : allowed;
        expect(findBlockedWords(name, compiled)).toEqual([]);
        expect(findBlockedWords(`${name} ${blocked}`, compiled).length).toBe(1);
      }),
    );
  });

  test.each([
    'All Users',
    'аll-users',
    'ALL  USERS',
    'AllUsers',
    'Ａll Users',
    'A11 Users',
    '@ll Users',
    'ALL U$ERS',
    'Αll Users',
  ])('%j is reserved', (name) => {
    expect(securityNameViolations(name, rules).map(({ rule }) => rule)).toEqual(['name-is-reserved']);
  });

  test.each([
    ['EVERYOΝE', 'everyone'],
    ['GLOBAL ADΜIΝISTRATOR', 'global administrator'],
    ['Dom@in Admins!', 'domain admins'],
  ])('%j reads as the reserved name %j', (name, reserved) => {
    const strict = compileNameRules({ blockedWords: [], allowedWords: [], reservedNames: [reserved] });
    expect(securityNameViolations(name, strict).map(({ rule }) => rule)).toEqual(['name-is-reserved']);
  });

  test.each([
    ['p@ss|word', 'password'],
    ['A$$!', 'ass'],
    ['sɇcrɇt', 'secret'],
    ['seȼret', 'secret'],
    ['ⱥƀɍɏⱦ', 'abryt'],
    ['ɉob', 'job'],
  ])('%j has the blocked word %j', (name, blocked) => {
    const strict = compileNameRules({ blockedWords: [blocked], allowedWords: [], reservedNames: [] });
    expect(findBlockedWords(name, strict).map(({ word }) => word)).toEqual([blocked]);
  });

  test('a name that only contains a reserved one is not', () => {
    expect(securityNameViolations('All Users of the printer', rules)).toEqual([]);
  });
});

describe('readability', () => {
  const ofName = (name: string): string[] => readabilityViolations(name).map(({ rule }) => rule);

  test.each([
    ['', ['name-empty']],
    ['   ', ['name-empty']],
    ['\u00a0\u3000', ['name-empty']],
    ['\u2800', ['name-empty', 'name-has-invisible-character']],
    ['\u3164', ['name-empty', 'name-has-invisible-character']],
    ['😀😀', ['name-without-letters']],
    ['---', ['name-without-letters']],
    ['abc\u200eდ', ['name-has-invisible-character']],
    ['\u202eevil', ['name-has-invisible-character']],
    ['a\u200bb', ['name-has-invisible-character']],
    ['a\u200db', ['name-has-invisible-character']],
    ['a\ufe0fb', ['name-has-invisible-character']],
    ['tag\u{e0041}', ['name-has-invisible-character']],
    ['a\nb', ['name-has-control-character']],
    ['a\u0000b', ['name-has-control-character']],
    ['a\u2028b', ['name-has-control-character']],
    ['a\ud800b', ['name-is-broken-text']],
    ['\udc00a', ['name-is-broken-text']],
    ['a\ufffdb', ['name-is-broken-text']],
    ['a\uffffb', ['name-is-broken-text']],
    ['a\ue000', ['name-has-private-character']],
    [`a${'\u0301'.repeat(9)}`, ['name-stacks-accents']],
    ['x'.repeat(257), ['name-too-long']],
    ['x'.repeat(1000), ['name-too-long']],
    ['a\t\u200b\ud800', ['name-is-broken-text', 'name-has-control-character', 'name-has-invisible-character']],
  ])('%j breaks %j', (name, expected) => {
    expect(ofName(name)).toEqual(expected);
  });

  test.each([
    'x',
    '7',
    'x'.repeat(256),
    `  ${'x'.repeat(256)}  `,
    'Équipe été',
    'Команда',
    '日本語',
    'עברית',
    'می‌خواهم',
    'क्‍ष',
    'Team 👩‍💻',
    'Love ❤️',
    'Fahne 🏳️‍🌈 Gruppe',
    'Keycap 1️⃣',
    'Tiếng Việt',
    'O’Neill & Söhne, #1',
  ])('%j is readable', (name) => {
    expect(ofName(name)).toEqual([]);
  });

  test('a violation says what to do, and its place is in the name', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        for (const { sentence, at } of readabilityViolations(name)) {
          expect(sentence).toMatch(/^[A-Z].*\.$/su);
          if (at === undefined) continue;
          expect(at.start).toBeLessThan(at.end);
          expect(at.end).toBeLessThanOrEqual(name.length);
        }
      }),
    );
  });

  test('tidying twice is tidying once', () => {
    fc.assert(
      fc.property(anyText, (name) => {
        expect(tidyName(tidyName(name))).toBe(tidyName(name));
      }),
    );
  });
});

describe('mail nicknames', () => {
  test.each([
    ['Team Blue', 'team-blue'],
    ['  Équipe   Été 2026 ', 'equipe-ete-2026'],
    ['Straße & Łódź (Øst)', 'strasse-lodz-ost'],
    ['O’Neill', 'oneill'],
    ['Команда Щука', 'komanda-shchuka'],
    ['Ομάδα Θέμα', 'omada-thema'],
    ['a_b.c', 'a_bc'],
    ['ＦＵＬＬ', 'full'],
    ['R&D: "x" <y>', 'r-d-x-y'],
  ])('%j becomes %j', (name, nickname) => {
    expect(deriveNickname(name)).toBe(nickname);
  });

  test('names in other scripts get different nicknames, the same ones every time', () => {
    const nicknames = ['営業', '経理', '営業 Team', '経理 Team'].map((name) => deriveNickname(name));
    expect(nicknames[0]).toMatch(/^group-[0-9a-z]{7}$/);
    expect(nicknames[2]).toMatch(/^team-[0-9a-z]{7}$/);
    expect(new Set(nicknames).size).toBe(4);
    expect(deriveNickname('営業')).toBe(nicknames[0]);
  });

  test('a nickname that is taken gets the next number, before the suffix', () => {
    const taken = new Set(['grp_team_hr', 'grp_team-2_hr']);
    const around = { prefix: 'GRP ü_', suffix: '_HR' };
    expect(deriveNickname('Team', around, (nickname) => taken.has(nickname))).toBe('GRP_team-3_HR');
  });

  test('where everything is taken, or there is no room, there is none', () => {
    expect(deriveNickname('Team', { prefix: '', suffix: '' }, () => true)).toBeUndefined();
    expect(deriveNickname('Team', { prefix: 'x'.repeat(64), suffix: '' })).toBeUndefined();
  });

  test('whatever the name, the nickname is valid, repeatable, and free', () => {
    const affix = fc.stringMatching(/^[A-Z_ é(]{0,12}$/);
    fc.assert(
      fc.property(
        fc.oneof(anyText, fc.string({ unit: point, minLength: 60, maxLength: 300 })),
        affix,
        affix,
        (name, prefix, suffix) => {
          const first = deriveNickname(name, { prefix, suffix });
          expect(first).toBe(deriveNickname(name, { prefix, suffix }));
          const second = deriveNickname(name, { prefix, suffix }, (nickname) => nickname === first?.toLowerCase());
          expect(second).not.toBe(first);
          for (const nickname of [first!, second!]) expect(nicknameViolations(nickname)).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  test.each([
    ['', ['nickname-empty']],
    ['a b', ['nickname-has-forbidden-character']],
    ['a@b', ['nickname-has-forbidden-character']],
    ['grün', ['nickname-has-forbidden-character']],
    ['a\u007f', ['nickname-has-forbidden-character']],
    ['.a', ['nickname-has-stray-dot']],
    ['a.', ['nickname-has-stray-dot']],
    ['a..b', ['nickname-has-stray-dot']],
    ['x'.repeat(65), ['nickname-too-long']],
    [`${'x'.repeat(70)}😀..`, ['nickname-too-long', 'nickname-has-forbidden-character', 'nickname-has-stray-dot']],
    ['a.b-c_d', []],
    ['x'.repeat(64), []],
  ])('%j breaks %j', (nickname, expected) => {
    expect(nicknameViolations(nickname).map(({ rule }) => rule)).toEqual(expected);
  });

  test.each([...'@()\\[]";:<>, '])('the character %j is forbidden', (char) => {
    expect(nicknameViolations(`a${char}b`)).toMatchObject([{ at: { start: 1, end: 2 } }]);
  });
});

describe('checkName', () => {
  const tenant = readNamingPolicy('GRP_[GroupName]_[Department]', 'Payroll,HR');
  if (tenant.kind === 'invalid') throw new Error(tenant.sentence);
  const wish = (change: Partial<NameToCheck>): NameToCheck => ({
    kind: 'microsoft365',
    displayName: 'Team Blue',
    tenant: tenant.policy,
    attributes: { Department: 'R & D' },
    security: rules,
    ...change,
  });

  test('a Microsoft 365 group gets the tenant’s prefix and suffix in both names', () => {
    expect(checkName(wish({ displayName: '  Team   Blue ' }))).toEqual({
      displayName: 'GRP_Team Blue_R & D',
      mailNickname: 'GRP_team-blue_R&D',
      missingAttributes: [],
      violations: [],
    });
  });

  test('a security group keeps its name', () => {
    expect(checkName(wish({ kind: 'security' }))).toEqual({
      displayName: 'Team Blue',
      mailNickname: 'team-blue',
      missingAttributes: [],
      violations: [],
    });
  });

  test('each kind has its own rules', () => {
    const rulesFor = (kind: NameToCheck['kind'], displayName: string): string[] =>
      checkName(wish({ kind, displayName })).violations.map(({ rule }) => rule);
    expect(rulesFor('microsoft365', 'Раyroll')).toEqual([]);
    expect(rulesFor('security', 'Раyroll')).toEqual(['name-has-blocked-word']);
    expect(rulesFor('microsoft365', 'All Users')).toEqual([]);
    expect(rulesFor('security', 'All Users')).toEqual(['name-is-reserved']);
    expect(rulesFor('microsoft365', 'x'.repeat(60))).toEqual(['name-too-long']);
    expect(rulesFor('security', 'x'.repeat(60))).toEqual([]);
  });

  test('all violations come at once, each with its place', () => {
    const displayName = `HR\u200e payroll ${'x'.repeat(300)}`;
    const { violations } = checkName(wish({ displayName, mailNickname: 'payroll @team' }));
    expect(violations.map(({ rule, of }) => [rule, of])).toEqual([
      ['name-has-invisible-character', 'displayName'],
      ['name-too-long', 'displayName'],
      ['name-has-blocked-word', 'displayName'],
      ['name-has-blocked-word', 'displayName'],
      ['name-has-blocked-word', 'mailNickname'],
      ['nickname-has-forbidden-character', 'mailNickname'],
    ]);
  });

  test('a blocked word that only the derived nickname has is told, and one that the name has too is told once', () => {
    const uber = readNamingPolicy('GRP_[GroupName]', 'uber');
    if (uber.kind === 'invalid') throw new Error(uber.sentence);
    const of = (displayName: string): string[] =>
      checkName(wish({ displayName, tenant: uber.policy })).violations.map((violation) => violation.of);
    expect(of('Über alles')).toEqual(['mailNickname']);
    expect(of('Uber alles')).toEqual(['displayName']);
    expect(checkName(wish({ displayName: 'Über alles', mailNickname: 'all', tenant: uber.policy })).violations).toEqual(
      [],
    );
  });

  test('places in a mail nickname count its prefix', () => {
    const { mailNickname, violations } = checkName(wish({ mailNickname: 'my-payroll' }));
    const [violation] = violations;
    expect(mailNickname?.slice(violation?.at?.start, violation?.at?.end)).toBe('payroll');
  });

  test('a nickname that another group has counts for Microsoft 365 groups only', () => {
    const isNicknameTaken = (nickname: string): boolean => nickname === 'grp_team_r&d' || nickname === 'team';
    const given = (kind: NameToCheck['kind']): NameToCheck => wish({ kind, mailNickname: 'Team', isNicknameTaken });
    expect(checkName(given('microsoft365')).violations.map(({ rule }) => rule)).toEqual(['nickname-taken']);
    expect(checkName(given('security')).violations).toEqual([]);
    expect(checkName(wish({ displayName: 'Team', isNicknameTaken }))).toMatchObject({
      mailNickname: 'GRP_team-2_R&D',
      violations: [],
    });
  });

  test('an attribute that is missing is told', () => {
    expect(checkName(wish({ attributes: {} }))).toMatchObject({
      displayName: 'GRP_Team Blue_',
      missingAttributes: ['Department'],
    });
  });

  test('no text makes it fail', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('security' as const, 'microsoft365' as const),
        anyText,
        fc.option(anyText, { nil: undefined }),
        anyText,
        (kind, displayName, mailNickname, department) => {
          const checked = checkName({
            kind,
            displayName,
            ...(mailNickname !== undefined && { mailNickname }),
            tenant: kind === 'security' ? NO_NAMING_POLICY : tenant.policy,
            attributes: { Department: department },
            security: rules,
          });
          for (const { sentence } of checked.violations) expect(sentence.endsWith('.')).toBe(true);
          if (checked.violations.length === 0) expect(nicknameViolations(checked.mailNickname ?? '')).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});

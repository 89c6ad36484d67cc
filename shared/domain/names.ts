import { readingsOf, skeletonOf } from './look-alikes';
import type { Folded } from './look-alikes';
import { blockedWord, blockedWordsIn, fullName, namingPolicyViolations } from './naming-policy';
import type { FullName, NameViolation, NamingAttribute, NamingAttributes, NamingPolicy, Place } from './naming-policy';

/** Longest `displayName` of a group in Microsoft Graph (https://learn.microsoft.com/graph/api/resources/group), in UTF-16 units. */
export const LONGEST_NAME = 256;

/** The name as it is stored: composed (NFC), trimmed, with single spaces. Any string will do. */
export function tidyName(name: string): string {
  return name
    .normalize('NFC')
    .replaceAll(/\p{Zs}+/gu, ' ')
    .trim();
}

interface VisibleRule {
  rule: NameViolation['rule'];
  pattern: RegExp;
  sentence: (char: string) => string;
}

/** `U+200E` */
const pointOf = (char: string): string => `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** Scripts that are not written right without joiners (U+200C, U+200D): Arabic with Persian, and the Indic ones. */
const JOINED = String.raw`\p{scx=Arab}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}`;
const EMOJI = String.raw`\p{Extended_Pictographic}\p{Emoji_Modifier}`;

/** Joiners where a script or an emoji needs them, and what makes a character an emoji. */
const NEEDED_INVISIBLE = new RegExp(
  [
    String.raw`(?<=[${JOINED}])[\u200c\u200d](?=[${JOINED}])`,
    String.raw`(?<=[${EMOJI}]\ufe0f?)\u200d(?=[${EMOJI}])`,
    String.raw`(?<=[\p{Emoji}])\ufe0f`,
  ].join('|'),
  'gu',
);

const VISIBLE_RULES: readonly VisibleRule[] = [
  {
    rule: 'name-is-broken-text',
    pattern: /\p{Cs}|\ufffd|\p{Noncharacter_Code_Point}/u,
    sentence: (char) => `The name has a character that is broken (${pointOf(char)}). Type the name anew.`,
  },
  {
    rule: 'name-has-control-character',
    pattern: /[\p{Cc}\p{Zl}\p{Zp}]/u,
    sentence: (char) => `The name has a line break, a tab or another control character (${pointOf(char)}). Remove it.`,
  },
  {
    rule: 'name-has-invisible-character',
    pattern: /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u,
    sentence: (char) =>
      `The name has a character that nobody sees, such as a direction mark or a space without width (${pointOf(char)}). Remove it, or type the name anew instead of pasting it.`,
  },
  {
    rule: 'name-has-private-character',
    pattern: /\p{Co}/u,
    sentence: (char) => `The name has a character that only some fonts know (${pointOf(char)}). Use another one.`,
  },
  {
    rule: 'name-stacks-accents',
    pattern: /\p{M}{5,}/u,
    sentence: () => 'The name stacks more than four accents on one letter. Use fewer.',
  },
];

/**
 * Whether a name can be read, searched and spoken: 1 to 256 characters (UTF-16 units, after `tidyName`; Graph's page does not say
 * which unit it counts), all of them visible, at least one letter or digit. Emoji may stand beside letters; a name of nothing but
 * emoji or punctuation is refused, since nobody can dictate it and no mail nickname comes of it. Refused as well: direction marks,
 * characters without width (but joiners in emoji and in scripts that need them), control characters, lone surrogates, private
 * characters. One violation a rule, at its first place.
 */
export function readabilityViolations(name: string): NameViolation[] {
  const of = 'displayName';
  const found: NameViolation[] = VISIBLE_RULES.flatMap(({ rule, pattern, sentence }) => {
    // Needed characters are blanked out, not removed: places stay right.
    const searched = rule === 'name-has-invisible-character' ? name.replaceAll(NEEDED_INVISIBLE, '-') : name;
    const match = pattern.exec(searched);
    if (match === null) return [];
    return [{ rule, of, sentence: sentence(match[0]), at: placeAt(match.index, match[0]) }];
  });
  const tidy = tidyName(name);
  if (skipInvisible(tidy) === '') {
    return [{ rule: 'name-empty', of, sentence: 'The name is empty. Give the group a name.' }, ...found];
  }
  if (tidy.length > LONGEST_NAME) {
    const sentence = `The name has ${String(tidy.length)} characters, and ${String(LONGEST_NAME)} are allowed. Shorten it.`;
    found.push({ rule: 'name-too-long', of, sentence });
  }
  if (!/[\p{L}\p{N}]/u.test(tidy)) {
    const sentence =
      'The name has neither a letter nor a digit. Add a word: people must be able to say and to search it.';
    found.push({ rule: 'name-without-letters', of, sentence });
  }
  return found;
}

const placeAt = (start: number, text: string): Place => ({ start, end: start + text.length });

const skipInvisible = (text: string): string =>
  text.replaceAll(/[\p{White_Space}\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}\u2800]/gu, '');

/** The organisation's own rules for names of security groups, which Entra's naming policy leaves alone. */
export interface SecurityNameRules {
  /** Words and phrases, found however they are written, inside words too. */
  blockedWords: readonly string[];
  /** Words and phrases that contain a blocked one and are harmless (`Classic` where `lass` is blocked). */
  allowedWords: readonly string[];
  /** Names that nobody's group may bear, nor one that looks the same. */
  reservedNames: readonly string[];
}

/** Names that would pass for a group or a role of the system. */
export const RESERVED_NAMES: readonly string[] = [
  'Administrators',
  'All Company',
  'All Users',
  'Authenticated Users',
  'Domain Admins',
  'Domain Users',
  'Enterprise Admins',
  'Everyone',
  'Global Administrator',
  'Global Administrators',
  'Guests',
  'Privileged Role Administrators',
  'Schema Admins',
];

export interface CompiledNameRules {
  blocked: readonly { word: string; skeleton: string }[];
  allowed: readonly string[];
  reserved: ReadonlyMap<string, string>;
}

/** Folds the rules once, so that many names can be checked. Words without letter or digit are dropped: nothing is left of them. */
export function compileNameRules(rules: SecurityNameRules): CompiledNameRules {
  const folded = (words: readonly string[]): { word: string; skeleton: string }[] =>
    words.map((word) => ({ word: word.trim(), skeleton: skeletonOf(word) })).filter(({ skeleton }) => skeleton !== '');
  return {
    blocked: folded(rules.blockedWords),
    allowed: folded(rules.allowedWords).map(({ skeleton }) => skeleton),
    reserved: new Map(folded(rules.reservedNames).map(({ word, skeleton }) => [skeleton, word])),
  };
}

/** Blocked words of fewer letters would be found in half of all names, were they sought inside words. */
const LEAST_INSIDE_WORDS = 4;

function* occurrences(text: string, word: string): Generator<{ start: number; end: number }> {
  for (let start = text.indexOf(word); start >= 0; start = text.indexOf(word, start + 1)) {
    yield { start, end: start + word.length };
  }
}

function counts({ text, before }: Folded, start: number, end: number): boolean {
  const begins = before[start] !== 'none';
  const ends = end === text.length || before[end] !== 'none';
  if (end - start < LEAST_INSIDE_WORDS) return begins && ends;
  return begins || ends || !before.slice(start + 1, end).includes('space');
}

/**
 * Blocked words in a name, however they are cased, accented, spaced, punctuated or written with look-alikes (see `fold`), inside words
 * too. A word that stretches over a space must begin or end a word of the name, so that `Plan all` does not contain what it seems to.
 * Words of fewer than four letters count only as words of their own (`H.R. Team`, not `Chrome`). What lies within an allowed word does
 * not count.
 */
export function findBlockedWords(name: string, rules: CompiledNameRules): { word: string; at: Place }[] {
  const readings = readingsOf(name);
  const allowed = readings.map(({ text }) => rules.allowed.flatMap((word) => [...occurrences(text, word)]));
  return rules.blocked.flatMap(({ word, skeleton }) => {
    for (const [index, reading] of readings.entries()) {
      for (const { start, end } of occurrences(reading.text, skeleton)) {
        const excused = allowed[index]?.some((harmless) => harmless.start <= start && end <= harmless.end) ?? false;
        if (excused || !counts(reading, start, end)) continue;
        return [{ word, at: { start: reading.from[start] ?? 0, end: reading.to[end - 1] ?? name.length } }];
      }
    }
    return [];
  });
}

/** What the organisation's own rules have against the name of a security group: each blocked word once, and a reserved name. */
export function securityNameViolations(name: string, rules: CompiledNameRules): NameViolation[] {
  const reserved = readingsOf(name)
    .map(({ text }) => rules.reserved.get(text))
    .find((found) => found !== undefined);
  return [
    ...findBlockedWords(name, rules).map(({ word, at }) => blockedWord('displayName', word, at)),
    ...(reserved === undefined
      ? []
      : [
          {
            rule: 'name-is-reserved' as const,
            of: 'displayName' as const,
            sentence: `“${reserved}” is a reserved name, and this one reads the same. Say in the name whose group it is and what it is for.`,
          },
        ]),
  ];
}

/** Longest `mailNickname` in Microsoft Graph. */
export const LONGEST_NICKNAME = 64;

/** What a mail nickname can't have: all but visible ASCII, and of that `@ ( ) \ [ ] " ; : < > ,`. */
const NOT_IN_NICKNAME = /[^\x21-\x7e]|[@()\\[\]";:<>,]/g;

/** A prefix or suffix of the tenant’s policy as it stands in a nickname (groups-naming-policy: “removed from the group alias”). */
const inNickname = (affix: string): string => affix.replaceAll(NOT_IN_NICKNAME, '');

/**
 * What is wrong with a mail nickname: 1 to 64 characters of visible ASCII without `@ ( ) \ [ ] " ; : < > ,` and the space. Control
 * characters are refused too, though Graph’s page speaks of ASCII 0 to 127: no mail address has them. A dot may stand between other
 * characters only, as in every mail address (RFC 5321, dot-string); an older page of Graph refuses every dot, so none is ever derived.
 *
 * Source: https://learn.microsoft.com/graph/api/resources/group (`mailNickname`).
 */
export function nicknameViolations(nickname: string): NameViolation[] {
  const of = 'mailNickname';
  if (nickname === '') {
    return [{ rule: 'nickname-empty', of, sentence: 'The mail nickname is empty. Give one, or leave it out.' }];
  }
  const found: NameViolation[] = [];
  if (nickname.length > LONGEST_NICKNAME) {
    const sentence = `The mail nickname has ${String(nickname.length)} characters, and ${String(LONGEST_NICKNAME)} are allowed. Shorten it.`;
    found.push({ rule: 'nickname-too-long', of, sentence, at: { start: LONGEST_NICKNAME, end: nickname.length } });
  }
  const forbidden = nickname.search(NOT_IN_NICKNAME);
  if (forbidden >= 0) {
    const char = String.fromCodePoint(nickname.codePointAt(forbidden) ?? 0);
    const sentence = `A mail nickname can’t have the character ${pointOf(char)}. Use letters without accents, digits, hyphens and underscores.`;
    found.push({ rule: 'nickname-has-forbidden-character', of, sentence, at: placeAt(forbidden, char) });
  }
  const dot = /^\.|\.$|\.\./.exec(nickname);
  if (dot !== null) {
    const sentence = 'A mail nickname can’t begin or end with a dot, nor have two in a row. Remove the dot.';
    found.push({ rule: 'nickname-has-stray-dot', of, sentence, at: placeAt(dot.index, dot[0]) });
  }
  return found;
}

const LATIN_LETTERS: ReadonlyMap<string, string> = new Map(
  (
    'ßss æae œoe øo đd ðd łl ħh ŧt ŋn ıi þth ' +
    'аa бb вv гg дd еe жzh зz иi йj кk лl мm нn оo пp рr сs тt уu фf хkh цts чch шsh щshch ъ ыy ь эe юyu яya іi їi єye ґg ўu ' +
    'αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo'
  )
    .split(' ')
    .map((entry): [string, string] => [entry.charAt(0), entry.slice(1)]),
);

/** FNV-1a, 32 bits, of the UTF-16 units; seven digits of base 36. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    for (const byte of [unit & 0xff, unit >> 8]) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(36).padStart(7, '0');
}

/**
 * A display name in letters, digits and hyphens: small, without accents, Cyrillic and Greek in Latin letters. Where letters get lost
 * (scripts that it can’t write in Latin letters), a fingerprint of the name tells two such names apart; where none is left, `group-`
 * stands for them.
 */
function latinOf(name: string): string {
  let lost = false;
  let latin = '';
  for (const char of tidyName(name).normalize('NFKC').toLowerCase().normalize('NFC')) {
    const bare = char.normalize('NFD').replaceAll(/\p{M}/gu, '');
    const letters = LATIN_LETTERS.get(char) ?? LATIN_LETTERS.get(bare) ?? bare;
    if (/^[a-z0-9]*$/.test(letters)) latin += letters;
    else if (letters === '_') latin += '_';
    else {
      lost ||= /[\p{L}\p{N}]/u.test(letters);
      latin += /['’.]/.test(letters) ? '' : '-';
    }
  }
  const plain = latin.replaceAll(/-{2,}/g, '-').replaceAll(/^-|-$/g, '');
  if (!lost && /[a-z0-9]/.test(plain)) return plain;
  const code = fingerprint(tidyName(name));
  return /[a-z0-9]/.test(plain) ? `${cut(plain, LONGEST_NICKNAME - 8)}-${code}` : `group-${code}`;
}

const cut = (text: string, length: number): string => text.slice(0, Math.max(0, length)).replace(/-+$/, '');

/** How many nicknames of the same name are tried before none is found. */
const MOST_TRIED = 9_999;

/**
 * A mail nickname for a display name, the same one every time: `team-blue`, and `team-blue-2`, `team-blue-3` … where `isTaken` says so
 * (it is asked in small letters). Around it stand the prefix and the suffix of the tenant’s policy. `undefined` where these leave no
 * room, or 9,999 are taken.
 */
export function deriveNickname(
  name: string,
  around: Pick<FullName, 'prefix' | 'suffix'> = { prefix: '', suffix: '' },
  isTaken: (nickname: string) => boolean = () => false,
): string | undefined {
  const prefix = inNickname(around.prefix);
  const suffix = inNickname(around.suffix);
  const latin = latinOf(name);
  for (let count = 1; count <= MOST_TRIED; count += 1) {
    const number = count === 1 ? '' : `-${String(count)}`;
    const middle = cut(latin, LONGEST_NICKNAME - prefix.length - suffix.length - number.length);
    if (middle === '') return undefined;
    const nickname = prefix + middle + number + suffix;
    if (!isTaken(nickname.toLowerCase())) return nickname;
  }
  return undefined;
}

export interface NameToCheck {
  kind: 'security' | 'microsoft365';
  displayName: string;
  /** Derived from the display name where it is left out. */
  mailNickname?: string;
  /** For Microsoft 365 groups. */
  tenant: NamingPolicy;
  /** Of the person who creates the group. */
  attributes: NamingAttributes;
  /** For security groups. */
  security: CompiledNameRules;
  /** Whether a group has this mail nickname (small letters). Entra wants it unique for Microsoft 365 groups only; so is it asked. */
  isNicknameTaken?: (nickname: string) => boolean;
}

export interface CheckedName {
  /** The name as the group would have it, tidied, with the tenant’s prefix and suffix. */
  displayName: string;
  /** `null` where none can be derived. */
  mailNickname: string | null;
  /** Attributes that the tenant’s policy asks for and the person lacks. */
  missingAttributes: NamingAttribute[];
  /**
   * Empty where the name may be taken. All at once. Places are those in the display name as it was given, and in the mail nickname
   * above.
   */
  violations: NameViolation[];
}

/**
 * Checks the name of a group that somebody wants to create: both kinds must be readable; Microsoft 365 groups follow the tenant’s naming
 * policy, security groups the organisation’s own rules. Never throws, whatever the text.
 */
export function checkName(wished: NameToCheck): CheckedName {
  const { kind, displayName, tenant, attributes, security } = wished;
  const isMicrosoft365 = kind === 'microsoft365';
  const isTaken = (nickname: string): boolean =>
    isMicrosoft365 && (wished.isNicknameTaken?.(nickname.toLowerCase()) ?? false);
  const tidy = tidyName(displayName);
  const full: FullName = isMicrosoft365
    ? fullName(tenant, tidy, attributes)
    : { prefix: '', suffix: '', displayName: tidy, missing: [] };
  const nickname = nicknameOf(wished, full, isTaken);
  const readability = readabilityViolations(displayName);
  const named = isMicrosoft365
    ? [...policyViolations(wished, tidy), ...blockedInNickname(wished, full, nickname)]
    : securityNameViolations(displayName, security);
  const tooLong = readability.some(({ rule }) => rule === 'name-too-long');
  return {
    displayName: full.displayName,
    mailNickname: nickname ?? null,
    missingAttributes: full.missing,
    violations: [
      ...readability,
      ...named.filter(({ rule }) => !(tooLong && rule === 'name-too-long')),
      ...nicknameProblems(wished, nickname, isTaken),
    ],
  };
}

/** Lengths count as tidied, places as given. */
function policyViolations({ tenant, displayName, attributes }: NameToCheck, tidy: string): NameViolation[] {
  return [
    ...namingPolicyViolations(tenant, tidy, attributes).filter(({ rule }) => rule !== 'name-has-blocked-word'),
    ...namingPolicyViolations(tenant, displayName, attributes).filter(({ rule }) => rule === 'name-has-blocked-word'),
  ];
}

/**
 * The policy holds for the alias as well. A derived one can have a word that the name has not (`Über` becomes `uber`); a word of the
 * name is told once.
 */
function blockedInNickname(
  { tenant, displayName, mailNickname }: NameToCheck,
  full: FullName,
  nickname = '',
): NameViolation[] {
  const before = inNickname(full.prefix).length;
  const entered = nickname.slice(before, nickname.length - inNickname(full.suffix).length);
  const told = mailNickname === undefined ? blockedWordsIn(tenant, displayName).map(({ word }) => word) : [];
  return blockedWordsIn(tenant, entered)
    .filter(({ word }) => !told.includes(word))
    .map(({ word, at }) => blockedWord('mailNickname', word, { start: at.start + before, end: at.end + before }));
}

function nicknameOf(
  { displayName, mailNickname }: NameToCheck,
  around: FullName,
  isTaken: (nickname: string) => boolean,
): string | undefined {
  if (mailNickname === undefined) return deriveNickname(displayName, around, isTaken);
  return inNickname(around.prefix) + mailNickname + inNickname(around.suffix);
}

function nicknameProblems(
  { mailNickname }: NameToCheck,
  nickname: string | undefined,
  isTaken: (nickname: string) => boolean,
): NameViolation[] {
  const of = 'mailNickname';
  if (mailNickname === '') return nicknameViolations('');
  if (nickname === undefined) {
    const sentence = 'No mail nickname can be made of this name. Give one yourself, or choose another name.';
    return [{ rule: 'nickname-empty', of, sentence }];
  }
  const taken: NameViolation[] = isTaken(nickname)
    ? [
        {
          rule: 'nickname-taken',
          of,
          sentence: `Another group has the mail nickname “${nickname}”. Choose another one, or leave it out.`,
        },
      ]
    : [];
  return [...nicknameViolations(nickname), ...taken];
}

import type { UserProperties } from './properties';

/** What the tenant's `Group.Unified` settings ask of the names of Microsoft 365 groups. */
export interface NamingPolicy {
  /** `PrefixSuffixNamingRequirement`, such as `GRP_[GroupName]_[Department]`. */
  requirement: string;
  /** `CustomBlockedWordsList`, taken apart. */
  blockedWords: readonly string[];
}

export type NamedProperty = 'displayName' | 'mailNickname';
export type Names = Partial<Record<NamedProperty, string>>;

export interface Affixes {
  prefix: string;
  suffix: string;
}

export type NamingViolation =
  | ({ code: 'MissingPrefixSuffix'; target: NamedProperty } & Affixes)
  | { code: 'ContainsBlockedWord'; target: NamedProperty; word: string };

const attributes: ReadonlyMap<string, keyof UserProperties> = new Map([
  ['Department', 'department'],
  ['Company', 'companyName'],
  ['Office', 'officeLocation'],
  ['StateOrProvince', 'state'],
  ['CountryOrRegion', 'country'],
  ['Title', 'jobTitle'],
]);

/** Characters that a mail nickname can't have: all but printable ASCII, and some of that. */
const NOT_IN_ALIAS = /[^\x21-\x7e]|[@()\\[\]";:<>,]/g;

/** Whether Entra takes the text as a mail nickname. */
export const isMailNickname = (text: string): boolean =>
  text.length >= 1 && text.length <= 64 && text.search(NOT_IN_ALIAS) < 0;

/** The words and phrases of `CustomBlockedWordsList`, which commas separate. */
export const blockedWordsOf = (list: string): string[] =>
  list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

/** Fills in what the policy asks for around the name; an attribute that the user lacks, or without a user, is empty. */
export function affixesOf(requirement: string, user: UserProperties | undefined): Affixes {
  const filled = requirement.replaceAll(/\[([^\]]*)\]/g, (whole, token: string) => {
    if (token === 'GroupName') return whole;
    const attribute = attributes.get(token);
    // `[Contoso-]` is fixed text in brackets, as the reference of groupSettings writes it.
    return attribute === undefined ? token : String(user?.[attribute] ?? '');
  });
  const [prefix = '', suffix = ''] = filled.split('[GroupName]');
  return { prefix, suffix };
}

/** In a mail nickname the affixes lack the characters that it can't have. */
const inAlias = ({ prefix, suffix }: Affixes): Affixes => ({
  prefix: prefix.replaceAll(NOT_IN_ALIAS, ''),
  suffix: suffix.replaceAll(NOT_IN_ALIAS, ''),
});

const words = (text: string): string[] =>
  text
    .toLocaleLowerCase('en')
    .split(/[^\p{L}\p{N}\p{M}]+/u)
    .filter((word) => word !== '');

/** Whole words only: `Class` passes although `lass` is blocked. */
function blockedWordIn(name: string, blocked: readonly string[]): string | undefined {
  const found = ` ${words(name).join(' ')} `;
  return blocked.find((phrase) => {
    const sought = words(phrase).join(' ');
    return sought !== '' && found.includes(` ${sought} `);
  });
}

/**
 * What the policy finds wrong with the names of a Microsoft 365 group, in the order in which Entra looks: missing
 * affixes of both names; only where there are none of those, the first blocked word.
 */
export function namingViolations(
  policy: NamingPolicy,
  names: Names,
  user: UserProperties | undefined,
): NamingViolation[] {
  const targets = (['displayName', 'mailNickname'] as const).flatMap((target) => {
    const name = names[target];
    return name === undefined ? [] : [{ target, name }];
  });
  const affixes = affixesOf(policy.requirement, user);
  const missing = targets.flatMap(({ target, name }): NamingViolation[] => {
    const { prefix, suffix } = target === 'mailNickname' ? inAlias(affixes) : affixes;
    const complete = name.startsWith(prefix) && name.endsWith(suffix) && name.length > prefix.length + suffix.length;
    return complete ? [] : [{ code: 'MissingPrefixSuffix', target, prefix, suffix }];
  });
  if (missing.length > 0) return missing;
  for (const { target, name } of targets) {
    const word = blockedWordIn(name, policy.blockedWords);
    if (word !== undefined) return [{ code: 'ContainsBlockedWord', target, word }];
  }
  return [];
}

/** Where in the text that was given (UTF-16 units). */
export interface Place {
  start: number;
  end: number;
}

/** A rule that a name breaks. `rule` names it for machines. */
export interface NameViolation {
  rule: NameRule;
  /** One sentence or two saying which rule, and what to do instead. */
  sentence: string;
  /** The first place, where there is one. */
  at?: Place;
  /** The name that breaks it: a mail nickname has rules of its own. */
  of: 'displayName' | 'mailNickname';
}

export type NameRule =
  | 'name-empty'
  | 'name-too-long'
  | 'name-has-control-character'
  | 'name-has-invisible-character'
  | 'name-is-broken-text'
  | 'name-has-private-character'
  | 'name-stacks-accents'
  | 'name-without-letters'
  | 'name-has-blocked-word'
  | 'name-is-reserved'
  | 'name-taken'
  | 'nickname-empty'
  | 'nickname-too-long'
  | 'nickname-has-forbidden-character'
  | 'nickname-has-stray-dot'
  | 'nickname-taken';

const ATTRIBUTES = ['Department', 'Company', 'Office', 'StateOrProvince', 'CountryOrRegion', 'Title'] as const;
/** A user attribute as the policy's tokens name it. */
export type NamingAttribute = (typeof ATTRIBUTES)[number];

/**
 * The attributes of the person who creates a group: in Microsoft Graph `department`, `companyName`, `officeLocation`, `state`, `country`
 * and `jobTitle` of `user`.
 */
export type NamingAttributes = Partial<Record<NamingAttribute, string | null>>;

export type NamingPart = { kind: 'text'; text: string } | { kind: 'attribute'; attribute: NamingAttribute };

/** What the tenant asks of the names of Microsoft 365 groups. */
export interface NamingPolicy {
  prefix: readonly NamingPart[];
  suffix: readonly NamingPart[];
  blockedWords: readonly string[];
}

export const NO_NAMING_POLICY: NamingPolicy = { prefix: [], suffix: [], blockedWords: [] };

export type NamingPolicyResult =
  | { kind: 'policy'; policy: NamingPolicy }
  /** Entra does not take such a setting; `sentence` says why. */
  | { kind: 'invalid'; sentence: string };

/** Longest name with its prefix and suffix, where a policy puts any (UTF-16 units). */
export const LONGEST_FULL_NAME = 63;

const GROUP_NAME = '[GroupName]';

const isAttribute = (token: string): token is NamingAttribute => ATTRIBUTES.some((attribute) => attribute === token);

function partsOf(text: string): NamingPart[] {
  return [...text.matchAll(/\[([^[\]]*)\]|[^[]+|\[/g)].map(([whole, token]): NamingPart => {
    if (token === undefined) return { kind: 'text', text: whole };
    return isAttribute(token) ? { kind: 'attribute', attribute: token } : { kind: 'text', text: token };
  });
}

/**
 * Reads `PrefixSuffixNamingRequirement` (`GRP_[GroupName]_[Department]`) and `CustomBlockedWordsList` (words and phrases, separated by
 * commas) of the tenant's `Group.Unified` settings; empty texts are no policy. `[GroupName]` stands in it exactly once, or the result
 * is `invalid`; its length (64 at most) is Entra's to check. A token that is no supported attribute is fixed text without its
 * brackets: one page says fixed text (`[postalCode]`), the other writes fixed text in brackets (`[Contoso-][GroupName]`).
 *
 * Sources: https://learn.microsoft.com/entra/identity/users/groups-naming-policy (“Prefix-suffix naming policy”),
 * https://learn.microsoft.com/entra/identity/users/groups-settings-cmdlets (64 characters),
 * https://learn.microsoft.com/graph/api/group-list-settings (brackets).
 */
export function readNamingPolicy(requirement: string, blockedWordsList: string): NamingPolicyResult {
  const blockedWords = blockedWordsList
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (requirement === '') return { kind: 'policy', policy: { ...NO_NAMING_POLICY, blockedWords } };
  const [prefix, suffix, ...more] = requirement.split(GROUP_NAME);
  if (prefix === undefined || suffix === undefined || more.length > 0) {
    return {
      kind: 'invalid',
      sentence: `PrefixSuffixNamingRequirement must have ${GROUP_NAME} in it exactly once. Correct it in the settings of the tenant.`,
    };
  }
  return { kind: 'policy', policy: { prefix: partsOf(prefix), suffix: partsOf(suffix), blockedWords } };
}

/** A name with what the policy puts around it. */
export interface FullName {
  prefix: string;
  suffix: string;
  displayName: string;
  /** Attributes that the policy asks for and the person lacks: their place stays empty. */
  missing: NamingAttribute[];
}

/**
 * The name as Entra wants it from this person. An attribute that the person lacks is empty, as Entra does: a caller without the
 * attribute must send `-TEAMNAME` where the policy is `[StateOrProvince]-[GroupName]`
 * (https://github.com/microsoftgraph/microsoft-graph-docs/issues/7842).
 */
export function fullName(policy: NamingPolicy, name: string, attributes: NamingAttributes): FullName {
  const fill = (parts: readonly NamingPart[]): string =>
    parts.map((part) => (part.kind === 'text' ? part.text : (attributes[part.attribute] ?? ''))).join('');
  const asked = [...policy.prefix, ...policy.suffix].flatMap((part) =>
    part.kind === 'attribute' ? [part.attribute] : [],
  );
  const prefix = fill(policy.prefix);
  const suffix = fill(policy.suffix);
  return {
    prefix,
    suffix,
    displayName: prefix + name + suffix,
    missing: [...new Set(asked)].filter((attribute) => (attributes[attribute] ?? '') === ''),
  };
}

const wordPattern = /[\p{L}\p{N}\p{M}]+/gu;
const folded = (text: string): string => text.toLowerCase();

/**
 * Blocked words of the tenant in a name, as Entra finds them: whole words and phrases, whatever the case, never inside a word (`Class`
 * passes where `lass` is blocked); look-alikes and accents are not folded. What was entered is searched, without prefix and suffix.
 *
 * Source: https://learn.microsoft.com/entra/identity/users/groups-naming-policy (“Custom blocked words”: not case sensitive, no substring
 * search, an error where a blocked word is part of the name) and https://learn.microsoft.com/microsoft-365/solutions/groups-naming-policy
 * (“between the user entered name and the custom blocked words”). Neither says what ends a word: here all but letters, digits and marks.
 * `validateProperties` of Microsoft Graph has the last word.
 */
export function blockedWordsIn(policy: NamingPolicy, name: string): { word: string; at: Place }[] {
  const words = [...name.matchAll(wordPattern)].map((match) => ({
    text: folded(match[0]),
    start: match.index,
    end: match.index + match[0].length,
  }));
  return policy.blockedWords.flatMap((word) => {
    const sought = (folded(word).match(wordPattern) ?? []).map(String);
    if (sought.length === 0) {
      return folded(name.trim()) === folded(word) ? [{ word, at: { start: 0, end: name.length } }] : [];
    }
    const first = words.findIndex((_, index) => sought.every((each, offset) => words[index + offset]?.text === each));
    const start = words[first];
    const end = words[first + sought.length - 1];
    return start === undefined || end === undefined ? [] : [{ word, at: { start: start.start, end: end.end } }];
  });
}

/**
 * What the tenant's policy has against a name for a Microsoft 365 group: every blocked word, and a full name of more than 63 characters
 * (“The total allowable number of characters for your prefix and suffix strings including group name is 63”, groups-naming-policy) where
 * the policy has a prefix or a suffix. Administrators whom Entra exempts are not exempted here.
 */
export function namingPolicyViolations(
  policy: NamingPolicy,
  name: string,
  attributes: NamingAttributes,
): NameViolation[] {
  const { displayName, prefix, suffix } = fullName(policy, name, attributes);
  const left = LONGEST_FULL_NAME - prefix.length - suffix.length;
  const hasAffixes = policy.prefix.length + policy.suffix.length > 0;
  return [
    ...(hasAffixes && displayName.length > LONGEST_FULL_NAME
      ? [
          {
            rule: 'name-too-long' as const,
            of: 'displayName' as const,
            sentence:
              left > 0
                ? `With what your organisation puts around it the name has ${String(displayName.length)} characters, and ${String(LONGEST_FULL_NAME)} are allowed. Use ${String(left)} or fewer.`
                : `What your organisation puts around the name leaves no room for it: your attributes are too long for the naming policy. Ask an administrator.`,
          },
        ]
      : []),
    ...blockedWordsIn(policy, name).map(({ word, at }) => blockedWord('displayName', word, at)),
  ];
}

export const blockedWord = (of: NameViolation['of'], word: string, at: Place): NameViolation => ({
  rule: 'name-has-blocked-word',
  of,
  sentence: `“${word}” is a blocked word in names of groups. Choose a name without it.`,
  at,
});

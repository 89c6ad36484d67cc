import { shapeOf, wordsOf } from './look-alikes';

export interface ExistingName {
  id: string;
  displayName: string;
}

/** `same`: reads the same; `same-words`: in another order; `spelling`: a few letters differ; `words`: shares words. */
export type Resemblance = 'same' | 'same-words' | 'spelling' | 'words';

export interface NearDuplicate extends ExistingName {
  /** 0 to 1; 1 reads the same. */
  score: number;
  resemblance: Resemblance;
}

export interface NearDuplicateOptions {
  /** How many are kept. */
  limit?: number;
  /** The least score that counts as near. */
  least?: number;
}

/** Words that say that it is a group, not which: they weigh little. */
const GENERIC = new Set(
  'a all and at by der die das de des du et for fur group groups gruppe la le members mitglieder of team teams the und users von'.split(
    ' ',
  ),
);

const WEIGHT_OF_GENERIC = 0.5;
/** Long words tell more, up to a point. */
const LONGEST_WEIGHT = 8;
/** Names in a series (`Project 2025`, `Project 2026`) are no duplicates of each other, however close they are. */
const MOST_FOR_OTHER_NUMBERS = 0.6;
const SAME_WORDS = 0.95;

interface Form {
  skeleton: string;
  /** Of the words that tell which group it is; empty where none does. */
  telling: string;
  words: readonly string[];
  weight: number;
}

const weightOf = (word: string): number => {
  if (GENERIC.has(word)) return WEIGHT_OF_GENERIC;
  return word.length < LONGEST_WEIGHT ? word.length : LONGEST_WEIGHT;
};

function formOf(name: string): Form {
  const words = wordsOf(name);
  let weight = 0;
  words.forEach((word, index) => {
    if (words.indexOf(word) === index) weight += weightOf(word);
  });
  const skeleton = shapeOf(words.join(''));
  const telling = words.filter((word) => !GENERIC.has(word)).join('');
  return { skeleton, telling: shapeOf(telling), words, weight };
}

const numbersOf = ({ words }: Form): string => (words.join(' ').match(/\d+/g) ?? []).join(' ');

/** Twice the weight that both share, by the weight of both (Dice). */
function overlap(one: Form, other: Form): number {
  let shared = 0;
  one.words.forEach((word, index) => {
    if (other.words.includes(word) && one.words.indexOf(word) === index) shared += weightOf(word);
  });
  const all = one.weight + other.weight;
  return all === 0 ? 0 : (2 * shared) / all;
}

const isSameWords = (one: Form, other: Form): boolean =>
  one.words.length === other.words.length &&
  one.skeleton.length === other.skeleton.length &&
  one.words.toSorted().join(' ') === other.words.toSorted().join(' ');

const isSeries = (one: Form, other: Form): boolean => {
  const [mine, theirs] = [numbersOf(one), numbersOf(other)];
  return mine !== '' && theirs !== '' && mine !== theirs;
};

const COUNTERS = 64;
const counters = new Int16Array(COUNTERS);

/** How many letters one text has and the other lacks, at least: never more than the edit distance, and found in one pass. */
function bagDistance(one: string, other: string): number {
  counters.fill(0);
  for (let index = 0; index < one.length; index += 1) count(one.charCodeAt(index), 1);
  for (let index = 0; index < other.length; index += 1) count(other.charCodeAt(index), -1);
  let missing = 0;
  let extra = 0;
  for (const difference of counters) {
    if (difference > 0) missing += difference;
    else extra -= difference;
  }
  return missing > extra ? missing : extra;
}

function count(unit: number, by: number): void {
  const counter = unit % COUNTERS;
  counters[counter] = (counters[counter] ?? 0) + by;
}

/**
 * Letters to insert, delete, replace or swap with their neighbour (optimal string alignment), or `most + 1` where it takes more.
 * Only the diagonal band that can stay within `most` is filled.
 */
export function editDistance(one: string, other: string, most: number): number {
  const columns = other.length;
  const over = most + 1;
  const difference = one.length - columns;
  if (difference > most || -difference > most || bagDistance(one, other) > most) return over;
  let twoBack = new Array<number>(columns + 1).fill(over);
  let last = new Array<number>(columns + 1).fill(over);
  let current = new Array<number>(columns + 1).fill(over);
  for (let column = 0; column <= columns && column <= most; column += 1) last[column] = column;
  for (let row = 1; row <= one.length; row += 1) {
    const letter = one.charCodeAt(row - 1);
    const until = row + most < columns ? row + most : columns;
    current.fill(over);
    if (row <= most) current[0] = row;
    for (let column = row > most ? row - most : 1; column <= until; column += 1) {
      const facing = other.charCodeAt(column - 1);
      let cost = (last[column - 1] ?? over) + (letter === facing ? 0 : 1);
      const without = (last[column] ?? over) + 1;
      if (without < cost) cost = without;
      const inserted = (current[column - 1] ?? over) + 1;
      if (inserted < cost) cost = inserted;
      const isSwap =
        row > 1 && column > 1 && letter === other.charCodeAt(column - 2) && facing === one.charCodeAt(row - 2);
      if (isSwap) {
        const swapped = (twoBack[column - 2] ?? over) + 1;
        if (swapped < cost) cost = swapped;
      }
      current[column] = cost < over ? cost : over;
    }
    [twoBack, last, current] = [last, current, twoBack];
  }
  return last[columns] ?? over;
}

/** Share of letters that may differ for a spelling to count as near. */
const MOST_DIFFERENT = 0.4;

function spelling(one: Form, other: Form, least: number): number {
  const part = one.telling === '' || other.telling === '' ? 'skeleton' : 'telling';
  const longest = Math.max(one[part].length, other[part].length);
  if (longest === 0) return 0;
  const most = Math.floor(longest * Math.min(MOST_DIFFERENT, 1 - least));
  const distance = editDistance(one[part], other[part], most);
  return distance > most ? 0 : 1 - distance / longest;
}

function resemblance(one: Form, other: Form, least: number): { score: number; resemblance: Resemblance } | undefined {
  if (one.skeleton === '' || other.skeleton === '') return undefined;
  if (one.skeleton === other.skeleton) return { score: 1, resemblance: 'same' };
  if (isSameWords(one, other)) return { score: SAME_WORDS, resemblance: 'same-words' };
  const byWords = Math.min(overlap(one, other), SAME_WORDS);
  const bySpelling = Math.min(spelling(one, other, Math.max(least, byWords)), SAME_WORDS);
  const near = Math.max(byWords, bySpelling);
  if (near < least) return undefined;
  const score = isSeries(one, other) ? Math.min(near, MOST_FOR_OTHER_NUMBERS) : near;
  return score < least ? undefined : { score, resemblance: bySpelling >= byWords ? 'spelling' : 'words' };
}

const closestFirst = (one: NearDuplicate, other: NearDuplicate): number =>
  other.score - one.score ||
  one.displayName.length - other.displayName.length ||
  (one.id < other.id ? -1 : Number(one.id > other.id));

export interface NearDuplicateSearch {
  /** Looks at one existing name. */
  offer(existing: ExistingName): void;
  /** The closest so far, closest first. */
  closest(): NearDuplicate[];
}

/**
 * Looks for existing names near a wished one, a name at a time and in constant memory, so that the groups of a tenant can stream by:
 * the same folded form (`skeletonOf` in `look-alikes`), the same words in another order, a spelling a few letters off, shared words
 * (weighed by length, generic words little). The order in which names are offered does not matter. 50,000 names take less than half a
 * second.
 */
export function nearDuplicateSearch(
  wished: string,
  { limit = 5, least = 0.65 }: NearDuplicateOptions = {},
): NearDuplicateSearch {
  const form = formOf(wished);
  let kept: NearDuplicate[] = [];
  return {
    offer({ id, displayName }) {
      const found = resemblance(form, formOf(displayName), least);
      if (found === undefined) return;
      kept = [...kept, { id, displayName, ...found }].sort(closestFirst).slice(0, limit);
    },
    closest: () => [...kept],
  };
}

/** The names nearest to the wished one, closest first. See `nearDuplicateSearch`. */
export function nearDuplicates(
  wished: string,
  existing: Iterable<ExistingName>,
  options?: NearDuplicateOptions,
): NearDuplicate[] {
  const search = nearDuplicateSearch(wished, options);
  for (const each of existing) search.offer(each);
  return search.closest();
}

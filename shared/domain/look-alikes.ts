/**
 * Names as the eye reads them, for comparing: a name is folded character by character, so that every letter of the folded form knows its
 * place in the name. The table is a compact part of Unicode's confusables (UTS #39, `confusables.txt`): Latin variants, Cyrillic, Greek,
 * Armenian, letters in circles and squares; full width, mathematical and other compatibility letters come with NFKD. Left out are pairs
 * of letters that look like one (`rn`, `vv`), since they would find words in names that nobody reads there, and scripts that are rare in
 * names of groups (Cherokee, Lisu, Coptic).
 */

/** `аa вb` maps `а` to `a` and `в` to `b`. */
const table = (entries: string): ReadonlyMap<string, string> =>
  new Map(
    entries.split(' ').map((entry): [string, string] => {
      const [from = '', ...to] = entry;
      return [from, to.join('')];
    }),
  );

const CYRILLIC =
  'аa вb гr еe іi јj кk мm нh оo пn рp сc тt уy хx ѕs һh ԁd ԛq ԝw ѵv ьb бb зe өo үy ӏl ғf қk ңh ҳx ҡk ҽe ԍg';
const GREEK = 'αa βb γy δd εe ζz ηn ιi κk μu νv οo ρp σo ςc τt υu χx ωw ϲc ϳj';
const ARMENIAN = 'օo ոn սu հh ցg զq լl յj';
const LATIN_VARIANTS =
  'ⱥa ɑa ƀb ƅb ɓb ȼc ƈc ɖd ɗd đd ðd ɇe ɛe əe ƒf ɠg ɡg ħh ɦh ɨi ɩi ıi ɪi ɉj ʝj ƙk łl ɫl ɭl ŋn ɲn øo ɵo ƥp þp ʠq ɍr ɼr ɽr ʂs ƭt ⱦt ŧt ʉu ʋv ʍw ɏy ƴy ȥz ƶz æae œoe';
const SMALL_CAPITALS = 'ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz';

/** Small letters that look like a Latin one, after case and accents are gone. */
const LATIN = table([CYRILLIC, GREEK, ARMENIAN, LATIN_VARIANTS, SMALL_CAPITALS].join(' '));

/** Greek capitals that look like another Latin letter than their small ones do. */
const CAPITALS = table('Ηh Μm Νn Υy');

/** Letters and digits that are read for each other: one of them stands for all. */
const SHAPES = table('il 1l 0o 3e 4a 5s 7t 8b');

/** Signs that stand for letters where somebody wants to get round a rule; elsewhere they are punctuation. */
const SIGNS = table('@a $s €e £l !l |l ¡l');

/** Of these, strokes part words, or end them, as often as they stand for a letter: `p@ss|word!`. */
const STROKES = new Set('!|¡');

/** Letters in black circles, in black squares, and regional indicators: Unicode gives them no compatibility mapping. */
const BOXED = [0x1f150, 0x1f170, 0x1f1e6];

const MARK_OR_INVISIBLE = /[\p{M}\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}]/u;
const MARKS = /[\p{M}\p{Default_Ignorable_Code_Point}]/gu;
const WORD_CHARACTER = /[\p{L}\p{N}]/u;
const SPACE = /[\p{White_Space}\u2800]/u;

function unboxed(char: string): string {
  const point = char.codePointAt(0) ?? 0;
  const first = BOXED.find((start) => point >= start && point < start + 26);
  return first === undefined ? char : String.fromCodePoint(0x61 + point - first);
}

/** Letters and digits of one code point without case, accents and script: what is read, as far as the table knows. */
function read(char: string): string {
  const bare = unboxed(char)
    .normalize('NFKD')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(MARKS, '');
  let out = '';
  for (const each of bare) {
    const latin = LATIN.get(each) ?? each;
    if (WORD_CHARACTER.test(latin)) out += latin;
  }
  return out;
}

/**
 * Of letters as `wordsOf` gives them, those that are read for each other made one: the words of a name run together give its skeleton.
 */
export function shapeOf(letters: string): string {
  let out = '';
  for (const letter of letters) out += SHAPES.get(letter) ?? letter;
  return out;
}

/** Most names keep to the first characters of Unicode: what these read as is looked up once. */
const CACHED = 0x3000;

function cached(readOne: (char: string) => string): (char: string) => string {
  const known = new Array<string | undefined>(CACHED).fill(undefined);
  return (char) => {
    const point = char.codePointAt(0) ?? 0;
    return point < CACHED ? (known[point] ??= readOne(char)) : readOne(char);
  };
}

const readCached = cached(read);
const shapeCached = cached((char) => shapeOf(read(char)));

/** What comes before a letter of the folded form: nothing, punctuation or a sign, white space or the start of the name. */
export type Break = 'none' | 'sign' | 'space';

/** A folded name, letter by letter (UTF-16 units of `text`). */
export interface Folded {
  text: string;
  /** Where the character that a letter comes from begins and ends in the name (UTF-16 units). */
  from: readonly number[];
  to: readonly number[];
  before: readonly Break[];
}

export interface Reading {
  /** `letters`: `@` reads as a, `$` as s, `|` as l; `currency`: strokes are nothing; `punctuation`: none is anything. */
  signs: 'letters' | 'currency' | 'punctuation';
  /** `small`: case is folded before look-alikes; `capital`: Greek capitals read as the Latin ones that they look like. */
  capitals: 'small' | 'capital';
}

const USUAL: Reading = { signs: 'punctuation', capitals: 'small' };

/**
 * Folds a name: compatibility forms (NFKD), case, accents, look-alikes, and digits that read as letters (0 o, 1 l i, 3 e, 4 a, 5 s, 7 t,
 * 8 b) are gone, and so is all that is neither letter nor digit. Any string will do, lone surrogates included.
 */
export function fold(name: string, reading: Reading = USUAL): Folded {
  let text = '';
  const from: number[] = [];
  const to: number[] = [];
  const before: Break[] = [];
  let at = 0;
  let pending: Break = 'space';
  for (const char of name) {
    const end = at + char.length;
    const isLetter = reading.signs === 'letters' || (reading.signs === 'currency' && !STROKES.has(char));
    const sign = isLetter ? SIGNS.get(char) : undefined;
    const capital = reading.capitals === 'capital' ? CAPITALS.get(char) : undefined;
    const plain = sign ?? capital;
    const letters = plain === undefined ? shapeCached(char) : shapeOf(plain);
    for (let unit = 0; unit < letters.length; unit += 1) {
      from.push(at);
      to.push(end);
      before.push(unit === 0 ? pending : 'none');
    }
    text += letters;
    if (letters !== '') pending = 'none';
    else if (SPACE.test(char)) pending = 'space';
    else if (pending === 'none' && !MARK_OR_INVISIBLE.test(char)) pending = 'sign';
    at = end;
  }
  return { text, from, to, before };
}

/** The folded form alone: names with the same one look the same. `skeletonOf(skeletonOf(x))` is `skeletonOf(x)`. */
export function skeletonOf(name: string): string {
  let text = '';
  for (const char of name) text += shapeCached(char);
  return text;
}

/**
 * Words of a name without case, accents and script, digits kept: `Équipe 2026` is `equipe`, `2026`. What is neither letter, digit, accent
 * nor invisible separates words.
 */
export function wordsOf(name: string): string[] {
  const words: string[] = [];
  let word = '';
  for (const char of name) {
    const letters = readCached(char);
    if (letters !== '') word += letters;
    else if (word !== '' && (SPACE.test(char) || !MARK_OR_INVISIBLE.test(char))) {
      words.push(word);
      word = '';
    }
  }
  if (word !== '') words.push(word);
  return words;
}

/** Ways in which the same name can be read: a word counts as found where any of them has it. */
export function readingsOf(name: string): Folded[] {
  const chars = [...name];
  const strokes = chars.some((char) => STROKES.has(char));
  const currency = chars.some((char) => SIGNS.has(char) && !STROKES.has(char));
  const signs: Reading['signs'][] = [
    'punctuation',
    ...(strokes || currency ? ['letters' as const] : []),
    ...(strokes && currency ? ['currency' as const] : []),
  ];
  const capitals: Reading['capitals'][] = [
    'small',
    ...(chars.some((char) => CAPITALS.has(char)) ? ['capital' as const] : []),
  ];
  const readings = signs.flatMap((sign) => capitals.map((capital): Reading => ({ signs: sign, capitals: capital })));
  return readings.map((reading) => fold(name, reading));
}

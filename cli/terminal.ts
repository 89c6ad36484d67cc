// What reaches a terminal: text of others without what a terminal obeys, and tables whose columns stand under each other.

// C0 and C1 controls, line and paragraph separators, what turns the direction of text around, halves of characters
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu;
const OBEYED_BUT_LINES =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text on one line; a line end becomes a space, anything else that a terminal would obey is spelled out (`\u001b`). */
export const printable = (text: string): string => text.replace(/\r?\n/g, ' ').replace(OBEYED, escaped);

/** The same with its line ends. */
export const printableLines = (text: string): string => text.replace(/\r\n/g, '\n').replace(OBEYED_BUT_LINES, escaped);

/** JSON text with the same meaning, in which such characters are written as escapes: inside strings they may be, elsewhere there are none. */
export const printableJson = (text: string): string => {
  const shown = text.replace(/[\r\t]/g, ' ').replace(OBEYED_BUT_LINES, escaped);
  return shown.endsWith('\n') ? shown : `${shown}\n`;
};

const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation})/u;
const graphemes = new Intl.Segmenter('en');

/** Columns that the text takes in a terminal. */
export function width(text: string): number {
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += WIDE.test(segment) ? 2 : 1;
  return columns;
}

const padded = (text: string, columns: number): string => text + ' '.repeat(Math.max(0, columns - width(text)));

/** Rows under each other, without spaces at their ends; the first row holds the heads where there are any. */
export function columns(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of shown) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, width(cell))));
  return shown
    .map((row) =>
      row
        .map((cell, index) => padded(cell, widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const UNITS: readonly [string, number][] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
];

/** A length of time in its largest unit: `3 d`, `5 h`, `12 min`, `40 s`. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [unit, size] = UNITS.find(([, each]) => whole >= each) ?? ['s', 1];
  return `${String(Math.floor(whole / size))} ${unit}`;
}

/** `2026-11-24T15:20:01.123Z` as `2026-11-24 15:20:01 UTC`; any other text as it is. */
export const moment = (text: string): string =>
  text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, '$1 $2 UTC');

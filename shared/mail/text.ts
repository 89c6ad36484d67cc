import { plain } from '../web/html';

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const twoDigits = (value: number): string => String(value).padStart(2, '0');

/** A point in time as people read it, to the minute: `Tue 24 November 2026, 14:05 UTC`. */
export function dateInWords(at: Date): string {
  const weekday = WEEKDAYS[at.getUTCDay()] ?? '';
  const month = MONTHS[at.getUTCMonth()] ?? '';
  const time = `${twoDigits(at.getUTCHours())}:${twoDigits(at.getUTCMinutes())}`;
  return `${weekday} ${at.getUTCDate()} ${month} ${at.getUTCFullYear()}, ${time} UTC`;
}

const DURATION =
  /^P(?=.)(?:([\d.,]+)Y)?(?:([\d.,]+)M)?(?:([\d.,]+)W)?(?:([\d.,]+)D)?(?:T(?=.)(?:([\d.,]+)H)?(?:([\d.,]+)M)?(?:([\d.,]+)S)?)?$/;
const UNITS = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'];

/** An ISO 8601 duration as people say it (`P30D`: `30 days`); what isn't one comes back as it is. */
export function durationInWords(duration: string): string {
  const amounts = DURATION.exec(duration)?.slice(1);
  if (amounts === undefined) return oneLine(duration);
  const parts = amounts.flatMap((amount: string | undefined, index) => {
    const value = Number(amount?.replace(',', '.') ?? 0);
    return value > 0 ? [`${value} ${UNITS[index] ?? ''}${value === 1 ? '' : 's'}`] : [];
  });
  return parts.length === 0 ? 'no time at all' : inSeries(parts);
}

/** `a`, `a and b`, `a, b and c`. */
export function inSeries(items: readonly string[]): string {
  const last = items.at(-1);
  if (last === undefined) return '';
  return items.length === 1 ? last : `${items.slice(0, -1).join(', ')} and ${last}`;
}

/** Names as they are listed; of more than `most`, the first ones and how many others. */
export function namesShown(names: readonly string[], most = 8): string[] {
  const clean = names.map(nameOf);
  if (clean.length <= most) return clean;
  return [...clean.slice(0, most - 1), `${clean.length - most + 1} others`];
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The text, or as much of it as fits into `most` UTF-16 units with an ellipsis, cut between characters as people see them. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  let end = 0;
  for (const { index, segment } of graphemes.segment(text.slice(0, most + 1))) {
    if (index + segment.length > most - 1) break;
    end = index + segment.length;
  }
  return `${text.slice(0, end).trimEnd()}…`;
}

/** The text on one line, without what can't be seen. */
export const oneLine = (text: string): string => plain(text).replace(/\s+/g, ' ').trim();

/** A person's or a group's name as it is shown: one line, and no longer than a layout bears. */
export const nameOf = (name: string): string => clip(oneLine(name), 120) || 'Nameless';

/** What somebody wrote, as it is shown: without what can't be seen, at most one empty line in a row, not endless. */
export const writtenText = (text: string): string =>
  clip(
    plain(text)
      .replace(/[ \t]+/g, ' ')
      .replace(/ ?\n ?/g, '\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim(),
    2_000,
  );

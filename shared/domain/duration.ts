/**
 * Periods in policies and requests are ISO 8601 durations of weeks, days, hours, minutes and seconds (`P30D`, `PT8H`, `P1DT12H`).
 * Years and months are refused: their length depends on where one counts from, and an access right may not.
 */
const PATTERN = /^P(?:(\d{1,4})W|(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?)$/;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Length in milliseconds of an ISO 8601 duration, or `undefined` where the text is none or is empty (`P`, `PT0S` is 0). */
export function parseDuration(text: string): number | undefined {
  const match = PATTERN.exec(text);
  if (match === null || text === 'P') return undefined;
  const [, weeks, days, hours, minutes, seconds] = match.map((part) => Number(part ?? 0));
  return (
    (weeks ?? 0) * 7 * DAY + (days ?? 0) * DAY + (hours ?? 0) * HOUR + (minutes ?? 0) * MINUTE + (seconds ?? 0) * SECOND
  );
}

/** Milliseconds of a duration that was validated before; throws where it was not. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new Error(`'${text}' is no ISO 8601 duration`);
  return ms;
}

export function addDuration(at: Date, text: string): Date {
  return new Date(at.getTime() + durationMs(text));
}

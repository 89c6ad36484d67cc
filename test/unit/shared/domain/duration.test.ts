import { addDuration, durationMs, parseDuration } from '../../../../shared/domain/duration';

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

test.each([
  ['PT1S', SECOND],
  ['PT90S', 90 * SECOND],
  ['PT3M', 3 * MINUTE],
  ['PT1234567M', 1_234_567 * MINUTE],
  ['PT5H', 5 * HOUR],
  ['P2D', 2 * DAY],
  ['P99999D', 99_999 * DAY],
  ['P3W', 21 * DAY],
  ['P9999W', 9_999 * 7 * DAY],
  ['P1DT2H3M4S', DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND],
  ['PT0S', 0],
])('%s is %i milliseconds', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
  expect(durationMs(text)).toBe(ms);
  expect(addDuration(new Date(DAY), text).getTime()).toBe(DAY + ms);
});

test.each([
  'P',
  'PT',
  '',
  'P1',
  'P1Y',
  'P1M',
  'P1W2D',
  'P1DT',
  'PT1D',
  'P1H',
  'P-1D',
  'P1.5D',
  'p1d',
  'PxD',
  'PTxM',
  'P10000W',
  'P100000D',
  'PT12345678M',
  ' P1D',
  'xP1D',
  'P1D ',
  'P1Dx',
])('“%s” is none: a length that nobody can tell is not guessed', (text) => {
  expect(parseDuration(text)).toBeUndefined();
  expect(() => durationMs(text)).toThrow(`'${text}' is no ISO 8601 duration`);
});

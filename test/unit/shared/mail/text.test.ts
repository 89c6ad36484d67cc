import {
  clip,
  dateInWords,
  durationInWords,
  inSeries,
  nameOf,
  namesShown,
  oneLine,
  writtenText,
} from '../../../../shared/mail/text';

test.each([
  ['2026-11-24T14:05:59Z', 'Tue 24 November 2026, 14:05 UTC'],
  ['2027-01-01T00:00:00Z', 'Fri 1 January 2027, 00:00 UTC'],
  ['2027-01-01T00:30:00+01:00', 'Thu 31 December 2026, 23:30 UTC'],
])('%s is written %s', (at, words) => {
  expect(dateInWords(new Date(at))).toBe(words);
});

test('the time zone of the machine does not matter', () => {
  const here = (): never => {
    throw new Error('local time was asked for');
  };
  const at = Object.assign(new Date('2026-11-24T23:05:00Z'), {
    getDay: here,
    getDate: here,
    getMonth: here,
    getFullYear: here,
    getHours: here,
    getMinutes: here,
  });
  expect(dateInWords(at)).toBe('Tue 24 November 2026, 23:05 UTC');
});

test.each([
  ['P30D', '30 days'],
  ['P1D', '1 day'],
  ['P2W', '2 weeks'],
  ['PT5M', '5 minutes'],
  ['P1M', '1 month'],
  ['P1Y2M3DT4H5M6S', '1 year, 2 months, 3 days, 4 hours, 5 minutes and 6 seconds'],
  ['PT36H', '36 hours'],
  ['PT1.5S', '1.5 seconds'],
  ['P0D', 'no time at all'],
  ['P', 'P'],
  ['P1DT', 'P1DT'],
  ['<soon>\n', '<soon>'],
])('the duration %j is said as %j', (duration, words) => {
  expect(durationInWords(duration)).toBe(words);
});

test('names stand in a series, of many the first ones with how many others', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(inSeries)).toEqual(['', 'a', 'a and b', 'a, b and c']);
  expect(namesShown(['a', 'b', 'c', 'd'], 3)).toEqual(['a', 'b', '2 others']);
  expect(namesShown(['a', 'b', 'c'], 3)).toEqual(['a', 'b', 'c']);
});

test('clipped text is no longer than allowed and never cut inside a character', () => {
  expect(clip('abcdef', 6)).toBe('abcdef');
  expect(clip('abcdefg', 6)).toBe('abcde…');
  expect(clip('ab 👩‍👩‍👧‍👦 cd', 8)).toBe('ab…');
  expect(clip('e\u0301'.repeat(10), 6)).toBe('e\u0301e\u0301…');
});

test('a name is one line without what can not be seen, and never empty', () => {
  expect(nameOf('  Olivia\r\n\u202E Okafor\t')).toBe('Olivia Okafor');
  expect(nameOf('\u200B')).toBe('Nameless');
  expect(nameOf('x'.repeat(500))).toHaveLength(120);
  expect(oneLine('a\u00A0\u2028b')).toBe('a b');
});

test('what somebody wrote keeps its lines, but not endless empty ones', () => {
  expect(writtenText(' a  b \r\n c\n \n\n\n\nd ')).toBe('a b\nc\n\nd');
  expect(writtenText('y'.repeat(9_000))).toHaveLength(2_000);
});

import fc from 'fast-check';

import { age, columns, moment, printable, printableJson, printableLines, width } from '../../../cli/terminal';
import { showAnything, showAudit, showDryRun, showOpenRequests, showStatus } from '../../../cli/show';

/** What a terminal would obey, but for the line end that the table itself makes. */
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;

const hostile = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  ),
});

test('whatever a text holds, nothing of it is left that a terminal obeys', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(printable(text)).not.toMatch(OBEYED);
      expect(printable(text)).not.toContain('\n');
      expect(printableLines(text)).not.toMatch(OBEYED);
      expect(columns([['a', text]])).not.toMatch(OBEYED);
    }),
  );
});

test('what was meant to act is spelled out', () => {
  expect(printable('\u001b[2J\u202efdp.exe\u0007')).toBe('\\u001b[2J\\u202efdp.exe\\u0007');
  expect(printable('one\r\ntwo')).toBe('one two');
  expect(printable('Zoë 陈伟 👩‍🔬')).toBe('Zoë 陈伟 👩‍🔬');
});

test('printed JSON means what the API said, and holds nothing that a terminal obeys', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.constantFrom(0, 1, '\t'), (value, space) => {
      const text = JSON.stringify(value, null, space);
      const shown = printableJson(text);
      expect(JSON.parse(shown)).toEqual(JSON.parse(text));
      expect(shown).not.toMatch(OBEYED);
    }),
  );
});

test('every answer is shown without a failure, whatever its shape', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const shapes = [value, { value: [value] }, { stages: [value], timeline: [value], membership: value }];
      for (const show of [showStatus, showOpenRequests, showDryRun, showAudit, showAnything])
        for (const shape of shapes) expect(show(shape)).not.toMatch(OBEYED);
    }),
  );
});

test('columns stand under each other, wide characters counted as two', () => {
  expect(width('陈伟')).toBe(4);
  expect(width('é')).toBe(1);
  expect(
    columns([
      ['A', 'B'],
      ['陈伟', 'x'],
      ['abc', 'y'],
    ]),
  ).toBe('A     B\n陈伟  x\nabc   y');
});

test.each([
  [0, '0 s'],
  [59.9, '59 s'],
  [60, '1 min'],
  [7_199, '1 h'],
  [200_000, '2 d'],
])('%s seconds are %s', (seconds, text) => {
  expect(age(seconds)).toBe(text);
});

test('times are shown in UTC, other texts as they are', () => {
  expect(moment('2026-11-24T15:20:01.123Z')).toBe('2026-11-24 15:20:01 UTC');
  expect(moment('2026-11-24')).toBe('2026-11-24');
});

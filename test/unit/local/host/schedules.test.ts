import { parseTimeSpan } from '../../../../local/host/time-spans';
import { parseSchedule } from '../../../../local/host/timer-schedule';

const time = (text: string): number => Date.parse(text);
const next = (schedule: string, from: string, zone?: string): string | undefined => {
  const at = parseSchedule(schedule, zone).after(time(from));
  return at === undefined ? undefined : new Date(at).toISOString();
};

test.each([
  ['00:05:00', 300_000],
  ['1.02:03:04', 93_784_000],
  ['00:00:01.5', 1500],
  ['-00:01:00', -60_000],
])('the time span %s is %d milliseconds', (text, milliseconds) => {
  expect(parseTimeSpan(text)).toBe(milliseconds);
});

test.each(['5', '0 */5 * * * *', '00:5', ''])('%j is no time span', (text) => {
  expect(parseTimeSpan(text)).toBeUndefined();
});

test.each([
  ['0 */5 * * * *', '2030-01-01T00:00:00Z', '2030-01-01T00:05:00.000Z'],
  ['30 0 2 * * *', '2030-01-01T02:00:30Z', '2030-01-02T02:00:30.000Z'],
  ['0 0 0 * * 1', '2030-01-01T00:00:00Z', '2030-01-07T00:00:00.000Z'],
  ['0 0 0 13 * 5', '2030-01-01T00:00:00Z', '2030-09-13T00:00:00.000Z'],
  ['*/15 * * * *', '2030-01-01T00:01:00Z', '2030-01-01T00:15:00.000Z'],
  ['00:10:00', '2030-01-01T00:01:00Z', '2030-01-01T00:11:00.000Z'],
])('the schedule %s runs after %s at %s', (schedule, from, at) => {
  expect(next(schedule, from)).toBe(at);
});

test('a schedule runs by the clock of its time zone', () => {
  expect(next('0 0 9 * * *', '2030-07-01T00:00:00Z', 'Europe/Berlin')).toBe('2030-07-01T07:00:00.000Z');
});

test.each(['every day', '0 0 2 *', '99 * * * * *', '00:00:00'])('%j is refused as a schedule', (text) => {
  expect(() => parseSchedule(text)).toThrow();
});

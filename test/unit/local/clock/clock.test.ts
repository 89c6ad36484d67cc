import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClock } from '../../../../local/clock/clock';

const HOUR = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-clock-'));
let number = 0;
const newFile = (): string => join(folder, `clock-${(number += 1)}`);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const near = (actual: Date, expected: number): void =>
  expect(Math.abs(actual.getTime() - expected)).toBeLessThan(2_000);

describe('the clock', () => {
  test('starts at real time', () => {
    near(openClock(newFile()).now(), Date.now());
  });

  test('moves forward and keeps running', () => {
    const clock = openClock(newFile());
    clock.advance(HOUR);
    clock.advance(HOUR);
    near(clock.now(), Date.now() + 2 * HOUR);
  });

  test('is set to a time, before or after the real one', () => {
    const clock = openClock(newFile());
    for (const text of ['1969-07-20T20:17:40Z', '2024-02-29T12:00:00Z', '2040-01-01T00:00:00Z']) {
      clock.set(new Date(text));
      near(clock.now(), Date.parse(text));
    }
  });

  test('stands still while stopped, can be moved then, and runs on from there', () => {
    const clock = openClock(newFile());
    clock.stop();
    const stopped = clock.now().getTime();
    expect(clock.now().getTime()).toBe(stopped);
    clock.advance(HOUR);
    expect(clock.now().getTime()).toBe(stopped + HOUR);
    clock.set(new Date('2030-06-01T00:00:00Z'));
    expect(clock.now().toISOString()).toBe('2030-06-01T00:00:00.000Z');
    clock.resume();
    near(clock.now(), Date.parse('2030-06-01T00:00:00Z'));
  });

  test('is kept in its file', () => {
    const file = newFile();
    openClock(file).advance(HOUR);
    near(openClock(file).now(), Date.now() + HOUR);
    expect(readFileSync(file)).toHaveLength(32);
  });
});

describe('a process under the clock', () => {
  const RealDate = globalThis.Date;
  const clock = openClock(newFile());

  beforeAll(() => {
    process.env['LOCAL_CLOCK_FILE'] = clock.file;
    jest.isolateModules(() => jest.requireActual('../../../../local/clock/preload'));
    delete process.env['LOCAL_CLOCK_FILE'];
  });
  afterAll(() => {
    globalThis.Date = RealDate;
  });
  beforeEach(() => {
    clock.stop();
    clock.set(new RealDate('2031-05-06T07:08:09Z'));
  });

  test('reads the stack’s time from every form of Date', () => {
    expect(new Date().toISOString()).toBe('2031-05-06T07:08:09.000Z');
    expect(Date.now()).toBe(RealDate.parse('2031-05-06T07:08:09Z'));
    expect(Date()).toBe(new RealDate('2031-05-06T07:08:09Z').toString());
  });

  test('sees a move at once', () => {
    const before = Date.now();
    clock.advance(HOUR);
    expect(Date.now() - before).toBe(HOUR);
  });

  test('makes dates of given times as ever', () => {
    expect(new Date(0).toISOString()).toBe('1970-01-01T00:00:00.000Z');
    expect(new Date('2020-01-02T03:04:05Z').getTime()).toBe(RealDate.UTC(2020, 0, 2, 3, 4, 5));
    expect(new Date(2020, 1, 3).getMonth()).toBe(1);
    expect(new Date(new Date(5)).getTime()).toBe(5);
    expect(Date.UTC(2020, 0)).toBe(RealDate.UTC(2020, 0));
    expect(Number.isNaN(new Date(Number.NaN).getTime())).toBe(true);
  });

  test('knows its own dates, those made before, and nothing else', () => {
    expect(new Date()).toBeInstanceOf(Date);
    expect(new RealDate() instanceof Date).toBe(true);
    expect({} instanceof Date).toBe(false);
    expect(new Date().constructor).toBe(Date);
    expect(Date.name).toBe('Date');
    expect(Object.prototype.toString.call(new Date())).toBe('[object Date]');
  });

  test('keeps subclasses of Date apart', () => {
    class Deadline extends Date {}
    expect(new Deadline()).toBeInstanceOf(Deadline);
    expect(new Deadline().getTime()).toBe(Date.now());
    expect(new Date() instanceof Deadline).toBe(false);
  });

  test('moves the clock against real time itself', () => {
    clock.resume();
    clock.set(new RealDate('2035-01-01T00:00:00Z'));
    near(clock.now(), RealDate.parse('2035-01-01T00:00:00Z'));
    clock.stop();
    near(new Date(), RealDate.parse('2035-01-01T00:00:00Z'));
  });
});

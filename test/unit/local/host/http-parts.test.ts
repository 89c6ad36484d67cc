import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { queryOf, serializeCookie } from '../../../../local/host/http-messages';
import { loadKeys } from '../../../../local/host/keys';
import { RequestGate } from '../../../../local/host/request-gate';

test('a cookie is written as ASP.NET writes it', () => {
  expect(
    serializeCookie({
      name: 'a',
      value: 'one two',
      domain: { value: 'example.org' },
      expires: { value: { seconds: 0 } },
      maxAge: { value: 60 },
      secure: { value: true },
      httpOnly: { value: true },
      sameSite: 'strict',
    }),
  ).toBe(
    'a=one%20two; expires=Thu, 01 Jan 1970 00:00:00 GMT; max-age=60; domain=example.org; path=/; secure; samesite=strict; httponly',
  );
  expect(serializeCookie({ name: 'b', value: '2', path: { value: '/x' }, sameSite: 'none' })).toBe('b=2; path=/x');
});

test('a query that repeats a name reaches the function joined by commas', () => {
  expect(queryOf(new URL('http://h/?a=1&b=&a=2&a=%20'))).toEqual({ a: '1,2, ', b: '' });
});

test('the gate lets so many run, holds back some, and refuses the rest', async () => {
  const gate = new RequestGate(1, 2);
  await gate.enter();
  const second = gate.enter();
  expect(second).toBeDefined();
  expect(gate.enter()).toBeUndefined();
  let entered = false;
  const waiting = second?.then(() => (entered = true));
  await Promise.resolve();
  expect(entered).toBe(false);
  gate.leave();
  await waiting;
  expect(entered).toBe(true);
  gate.leave();
  expect(gate.enter()).toBeDefined();
});

test('without limits the gate holds nobody back', async () => {
  const gate = new RequestGate(-1, -1);
  for (let entered = 0; entered < 1000; entered += 1) await gate.enter();
});

describe('keys', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'host-keys-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  test('are made once and kept where only the owner reads them', () => {
    const first = loadKeys(folder, ['f']);
    const second = loadKeys(folder, ['f', 'g']);
    expect(second.master).toBe(first.master);
    expect(second.ofFunction('f')).toBe(first.ofFunction('f'));
    expect(statSync(join(folder, 'host-keys.json')).mode & 0o077).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'host-keys.json'), 'utf8'))).toHaveProperty('functions.g');
  });

  test('open what their level says and nothing else', () => {
    const keys = loadKeys(folder, ['f', 'g']);
    const opens = (key: string | undefined, level: string): boolean => keys.opens(key, level, 'f');
    expect(opens(undefined, 'anonymous')).toBe(true);
    expect([undefined, '', 'x', keys.ofFunction('g'), keys.durableTask].map((key) => opens(key, 'function'))).toEqual(
      Array(5).fill(false),
    );
    expect([keys.ofFunction('f'), keys.master].map((key) => opens(key, 'function'))).toEqual([true, true]);
    expect([keys.ofFunction('f'), keys.master].map((key) => opens(key, 'admin'))).toEqual([false, true]);
    expect(keys.isDurableTask(keys.ofFunction('f'))).toBe(false);
  });

  test('that cannot be read are said to be so, not replaced', () => {
    writeFileSync(join(folder, 'host-keys.json'), '{');
    expect(() => loadKeys(folder, [])).toThrow(/delete it to have new keys made/);
  });
});

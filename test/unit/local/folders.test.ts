import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../../local/folders';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-folders-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('makes what is missing with the mode asked for, and leaves what is there', () => {
  const path = join(folder, 'a', 'b', 'c');
  makeFolder(path, 0o700);
  makeFolder(path, 0o755);
  expect(statSync(path).isDirectory()).toBe(true);
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o700);
});

test('throws the system’s error where a file is in the way', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(() => makeFolder(file)).toThrow(/^EEXIST/);
  expect(() => makeFolder(join(file, 'x', 'y'))).toThrow(/^ENOTDIR/);
});

test('throws, and ends, where the system says that a folder is not there although it is', () => {
  if (!existsSync('/proc/self')) return;
  expect(() => makeFolder('/proc/gatehouse/state')).toThrow(/^ENOENT/);
});

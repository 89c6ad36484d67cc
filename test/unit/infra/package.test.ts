import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { readZip } from './zip-archive';

const mockRegistered: string[] = [];
// what the Functions worker provides: here it keeps the names of what the sources register
jest.mock(
  '@azure/functions-core',
  () => {
    class Disposable {
      dispose(): void {
        // nothing is held
      }
    }
    let model: unknown;
    return {
      version: '4',
      hostVersion: '4',
      Disposable,
      registerFunction: ({ name }: { name: string }) => {
        mockRegistered.push(name);
        return new Disposable();
      },
      registerHook: () => new Disposable(),
      setProgrammingModel: (given: unknown) => (model = given),
      getProgrammingModel: () => model,
      log: () => undefined,
    };
  },
  { virtual: true },
);

const root = join(__dirname, '..', '..', '..');
const archive = join(root, 'build', 'gatehouse.zip');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { Values: settings } = JSON.parse(read('local.settings.example.json')) as { Values: Record<string, string> };
const node = (script: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(root, script), ...args], {
    encoding: 'utf8',
    cwd: root,
    env: { ...process.env, ...settings },
  });

interface Loaded {
  milliseconds: number;
  functions: { name: string; type: string }[];
}

describe('npm run package', () => {
  let output: string;
  let folder: string;
  beforeAll(() => {
    const { status, stdout, stderr } = node('infra/package.mjs');
    expect([status, stderr]).toEqual([0, '']);
    output = stdout;
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-package-'));
    for (const { path, contents } of readZip(readFileSync(archive))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), contents);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const load = (file: string): Loaded => {
    const { status, stdout, stderr } = node('infra/cold-start.mjs', '--load', file);
    expect([status, stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as Loaded;
  };

  test('holds what Azure needs, and nothing else', () => {
    expect(readZip(readFileSync(archive)).map(({ path }) => path)).toEqual([
      'dist/main.js',
      'dist/main.js.map',
      'host.json',
      'package.json',
    ]);
    expect(readFileSync(join(folder, 'host.json'), 'utf8')).toBe(read('host.json'));
    const { name, main, engines } = JSON.parse(read('package.json')) as Record<string, unknown>;
    expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toEqual({
      name,
      main,
      type: 'commonjs',
      engines,
    });
  });

  test('loads away from every package, and registers every function that the sources register', async () => {
    Object.assign(process.env, settings);
    await import('../../../functions/index');
    const { routes } = await import('../../../functions/routes');
    const doors = routes.map(({ name }) => name);
    expect(mockRegistered).toEqual(
      expect.arrayContaining([...doors, 'sweeper', 'joinRequest', 'notify', 'settle', 'tell', 'warn', 'end']),
    );

    const { functions } = load(join(folder, 'dist', 'main.js'));
    expect(functions.map(({ name }) => name).sort()).toEqual([...mockRegistered].sort());
    expect(functions.filter(({ type }) => type === 'httpTrigger')).toHaveLength(doors.length);
    expect(functions.every(({ type }) => /Trigger$/.test(type))).toBe(true);
  });

  test('the same sources give the same bytes, without a time in them', () => {
    const first = readFileSync(archive);
    expect(node('infra/package.mjs').status).toBe(0);
    expect(readFileSync(archive).equals(first)).toBe(true);
    // 1 January 1980, 00:00, which is the format's zero
    for (const { stamp, mode } of readZip(first)) expect([stamp, mode.toString(8)]).toEqual([0x210000, '100644']);
  });

  test('tells size, number of files and load time', () => {
    expect(output).toMatch(/^build\/gatehouse\.zip: \d+ kB, 4 files, \d+ kB unpacked\n/);
    expect(output).toMatch(/A fresh Node v\d+\.\d+\.\d+ loads it in \d+ ms; \d+ functions registered\.\n$/);
  });

  test('azd and the container image pack the same files', () => {
    const packed = join(root, 'build', 'package');
    for (const { path, contents } of readZip(readFileSync(archive)))
      expect(readFileSync(join(packed, path)).equals(contents)).toBe(true);
    expect(readdirSync(packed, { recursive: true }).map(String).sort()).toEqual([
      'dist',
      'dist/main.js',
      'dist/main.js.map',
      'host.json',
      'package.json',
    ]);
  });

  test('a bundle that needs a package is noticed', () => {
    const broken = join(folder, 'broken.js');
    writeFileSync(broken, `require('a-package-that-nobody-has');`);
    const { status, stderr } = node('infra/cold-start.mjs', '--load', broken);
    expect([status, stderr]).toEqual([1, expect.stringContaining("Cannot find module 'a-package-that-nobody-has'")]);
  });
});

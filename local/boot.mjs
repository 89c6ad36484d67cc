// `node local/boot.mjs <command> [arguments]`: installs what is missing, builds what has changed, and runs the command with
// the Node version that package-lock.json pins. Runs on any Node from 20.19, with nothing installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { held, withLock } from './lock.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const OLDEST = [22, 15];
const FLAGS = ['--disable-warning=ExperimentalWarning', '--enable-source-maps'];
// What stays beside a stack does little, and shall take little memory.
const SMALL = ['--max-semi-space-size=1', '--optimize-for-size'];

// The end that is asked for twice comes at once: what a second signal has not ended after this long is killed.
const SAME_MS = 1_000;
const LAST_MS = 2_000;
const LOOK_MS = 1_000;

const fail = (sentence) => {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
};

/** What runs for us now, if anything does: signals go on to it. */
let current;
let since;
const pass = (signal) => {
  if (current === undefined) process.exit(128 + constants.signals[signal]);
  if (since !== undefined && performance.now() - since > SAME_MS) setTimeout(() => current.kill('SIGKILL'), LAST_MS);
  since ??= performance.now();
  current.kill(signal);
};

/** Our parent and, where it is the shell that npm runs a script in, npm: a shell may outlive an npm that is killed. */
const parents = () => {
  const parent = process.ppid;
  try {
    const read = (name) => readFileSync(`/proc/${parent}/${name}`, 'utf8').trim();
    if (!read('comm').endsWith('sh')) return `${parent}`;
    const stat = read('stat');
    return `${parent} ${stat.slice(stat.lastIndexOf(')')).split(' ')[2]}`;
  } catch {
    // There is no /proc here, or the parent is just ending.
    return `${parent}`;
  }
};

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/**
 * A signal to npm alone ends npm, and the shell between us and it, and tells us nothing. Where npm started us, the end of either is
 * therefore ours. Whoever starts us otherwise may go (`nohup node local/boot.mjs start &`), and `nohup npm start &` lives on with its npm.
 */
const watchParents = () => {
  if (process.env.npm_lifecycle_event === undefined) return;
  const { ppid } = process;
  const before = parents();
  const timer = setInterval(() => {
    if (parents() === before && isAlive(ppid)) return;
    clearInterval(timer);
    pass('SIGTERM');
  }, LOOK_MS);
  timer.unref();
};

const readJson = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
};

/** npm writes its own record of what it installed last of all: it must hold what package-lock.json asks for, and nothing else. */
const isInstalled = () => {
  const wanted = readJson(at('package-lock.json'))?.packages;
  const present = readJson(at('node_modules', '.package-lock.json'))?.packages;
  if (wanted === undefined) fail('package-lock.json is missing or cannot be read: restore it from the repository.');
  if (present === undefined) return false;
  const same = (a, b) => a?.version === b?.version && a?.integrity === b?.integrity;
  return (
    Object.keys(present).every((name) => same(present[name], wanted[name])) &&
    Object.keys(wanted).every((name) => name === '' || name in present || wanted[name].optional === true)
  );
};

const npmCi = () =>
  new Promise((resolve) => {
    const args = [
      'ci',
      '--include=dev',
      '--include=optional',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--no-progress',
    ];
    const script = process.env.npm_execpath;
    const viaScript = script !== undefined && /npm-cli\.[cm]?js$/.test(script);
    const child = viaScript
      ? spawn(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
      : spawn('npm', args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' });
    current = child;
    const started = Date.now();
    const progress = setInterval(() => {
      const seconds = Math.round((Date.now() - started) / 1000);
      console.log(`  … still installing (${seconds} s)`);
    }, 10_000);
    const end = (code) => {
      clearInterval(progress);
      current = undefined;
      if (since !== undefined) process.exit(130);
      resolve(code);
    };
    child.once('error', () => end(127));
    child.once('exit', (code, signal) => end(signal === null ? code : 128 + (constants.signals[signal] ?? 0)));
  });

const install = async () => {
  const lock = at('build', 'install.lock');
  if (isInstalled() && !held(lock)) return;
  await withLock(
    lock,
    async () => {
      if (isInstalled()) return;
      const first = !existsSync(at('node_modules'));
      console.log(
        first ? 'Installing packages (once, about a minute) …' : 'package-lock.json has changed: installing packages …',
      );
      const code = await npmCi();
      if (code === 127) fail('npm was not found: install Node.js with npm, or run "npm ci" yourself.');
      if (code !== 0) fail(`npm ci ended with code ${code}: mend what it says above and start again.`);
      console.log('Packages installed.');
    },
    (pid) => console.log(`Waiting for the installation that process ${pid} is running …`),
  );
};

const isRecent = (version) => {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
};

/** The Node that package-lock.json pins, where it was installed and runs here (it doesn't on musl, say); else the running one. */
const findNode = () => {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  for (const name of [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]) {
    const bin = readJson(at('node_modules', name, 'package.json'))?.bin?.node;
    if (bin === undefined) continue;
    const file = at('node_modules', name, bin);
    const { status, stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' });
    if (status === 0 && isRecent(stdout.trim())) return file;
  }
  if (isRecent(process.version)) return process.execPath;
  return fail(
    `Node ${process.version} is too old for the local stack and no newer one could be installed here: install Node ${OLDEST.join('.')} or later.`,
  );
};

const run = (node, args, { watched }) => {
  // The extra channel tells the command when this process is gone, however it went.
  const child = spawn(node, args, {
    cwd: process.cwd(),
    stdio: ['inherit', 'inherit', 'inherit', ...(watched ? ['ipc'] : [])],
  });
  current = child;
  child.once('error', (error) => fail(`${node} could not be started: ${error.message}`));
  child.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
};

const commands = () =>
  readdirSync(at('local', 'commands'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -3));

// Node reads an --env-file anywhere on its command line as its own, but not behind "--": so that may stand before ours.
const [command, ...rest] = process.argv.slice(2).filter((arg, index) => !(arg === '--' && index <= 1));
if (command === undefined || (command !== 'test' && !commands().includes(command))) {
  fail(`Usage: node local/boot.mjs <${[...commands(), 'test'].join(' | ')}> [arguments]`);
}
/** Installs and builds what is needed; the Node to go on with. */
const prepare = async () => {
  await install();
  const node = findNode();
  const { build } = await import('./build.mjs');
  if (!(await build({ ifStale: true }))) process.exit(1);
  return node;
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => pass(signal));
watchParents();
const node = await prepare().catch((error) => {
  const why = {
    EACCES: 'it may not be written',
    EPERM: 'it may not be written',
    EROFS: 'its file system is read-only',
  };
  if (error.code === 'ENOSPC')
    return fail(`The disk is full: free some space and start again (${error.path ?? root}).`);
  if (error.code in why)
    return fail(
      `Nothing can be built in ${root}, ${why[error.code]} (${error.path ?? error.code}): mend that, or use a copy of your own.`,
    );
  return fail(`The build failed: ${error.message}`);
});
if (command === 'test')
  run(node, [FLAGS[0], at('node_modules', 'jest', 'bin', 'jest.js'), ...rest], { watched: false });
else
  run(
    node,
    [
      ...FLAGS,
      ...(command === 'bench-local' ? [] : SMALL),
      '--',
      at('build', 'local', 'commands', `${command}.js`),
      ...rest,
    ],
    { watched: true },
  );

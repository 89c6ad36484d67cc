// Builds the app's one bundle (dist/main.js), the local stack (build/local/) and the command line (build/cli/). `--if-stale` does nothing where no source has changed; `--cli-operations` builds what writes the list of the CLI's operations, and nothing else.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.mjs';
import { bundlePlugins, leanPlugins } from './bundle-plugins.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const STAMP = at('build', 'stamp.json');
const SOURCES = ['functions', 'orchestrations', 'shared', 'local', 'cli'];

const common = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  absWorkingDir: root,
  write: false,
  metafile: true,
  // A process that maps its stack traces keeps the whole map in memory.
  sourcesContent: false,
  logLevel: 'silent',
};

const appBuild = () => ({
  ...common,
  entryPoints: { main: 'functions/index.ts' },
  outdir: 'dist',
  // two thirds of the text that Node parses at a cold start; functions and classes keep the names that stack traces show
  minify: true,
  keepNames: true,
  sourcemap: true,
  plugins: bundlePlugins,
  // The Functions worker provides it when the bundle is loaded.
  external: ['@azure/functions-core'],
});

const localEntries = () => [
  ...readdirSync(at('local', 'commands'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `local/commands/${name}`),
  ...[
    'local/stack/services-main.ts',
    'local/stack/lifeline.ts',
    'local/stack/without-telemetry.ts',
    'local/host/main.ts',
    'local/clock/preload.ts',
  ].filter((file) => existsSync(at(file))),
];

const localBuild = () => ({
  ...common,
  entryPoints: localEntries(),
  outbase: 'local',
  outdir: 'build/local',
  packages: 'external',
  sourcemap: true,
});

/** In pieces: what signs in or knows policies is read by the commands that need it. */
const cliBuild = () => ({
  ...common,
  entryPoints: { start: 'cli/start.ts' },
  outdir: 'build/cli',
  format: 'esm',
  splitting: true,
  outExtension: { '.js': '.mjs' },
  chunkNames: '[name]-[hash]',
  // packages that are CommonJS ask for Node's own modules that way
  banner: { js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);" },
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: true,
  plugins: leanPlugins,
});

/** Reads the doors, which the packages that they use are not built into. */
const cliOperationsBuild = () => ({
  ...common,
  entryPoints: { 'write-operations': 'cli/write-operations.ts' },
  outdir: 'build/cli',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  packages: 'external',
});

/** Files that a running process may be reading are replaced whole, and only where they differ. */
const replace = (file, contents) => {
  if (existsSync(file) && readFileSync(file).equals(contents)) return;
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, file);
};

const sourceFiles = () =>
  SOURCES.filter((folder) => existsSync(at(folder))).flatMap((folder) =>
    readdirSync(at(folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  );

const signature = () => {
  const hash = createHash('sha256');
  for (const file of [...sourceFiles(), at('package-lock.json'), at('tsconfig.json')].sort()) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${relative(root, file)}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
};

const isFresh = (wanted) => {
  try {
    const stamp = JSON.parse(readFileSync(STAMP, 'utf8'));
    return stamp.signature === wanted && stamp.outputs.every((file) => existsSync(at(file)));
  } catch {
    // There is none: nothing has been built, or a build is under way.
    return false;
  }
};

/** Builds these; the files, or undefined where the sources have errors. */
const run = async (plans) => {
  const esbuild = await import('esbuild');
  const results = await Promise.allSettled(plans.map((plan) => esbuild.build(plan)));
  try {
    return await finish(esbuild, results);
  } finally {
    // Its service would stay beside the process that asked for the build, with hundreds of megabytes.
    await esbuild.stop();
  }
};

/** Writes what was built, or says what is wrong with the sources; the files, or undefined. */
const finish = async (esbuild, results) => {
  const failed = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
  if (failed.length > 0) {
    const errors = failed.flatMap((reason) => reason.errors ?? [{ text: String(reason) }]);
    const texts = await esbuild.formatMessages(errors, { kind: 'error', color: process.stderr.isTTY === true });
    process.stderr.write(`${texts.join('')}The build failed: ${errors.length} error(s).\n`);
    return undefined;
  }
  const built = results.map((result) => result.value);
  for (const { outputFiles } of built) {
    // Maps first, so that no reader finds a script without its own.
    for (const file of [...outputFiles].sort((a, b) => b.path.length - a.path.length))
      replace(file.path, file.contents);
  }
  const app = built.find(({ metafile }) => 'dist/main.js' in metafile.outputs);
  if (app !== undefined) replace(at('build', 'meta.json'), Buffer.from(JSON.stringify(app.metafile)));
  return built.flatMap(({ outputFiles }) => outputFiles.map((file) => relative(root, file.path)));
};

/** Builds everything; with `ifStale` only where a source changed since the last build. Returns whether all is built. */
export const build = async ({ ifStale = false } = {}) => {
  // A build that is under way has taken the stamp away. Where nothing is to be built, nothing need be writable.
  if (ifStale && isFresh(signature())) return true;
  return withLock(at('build', 'build.lock'), async () => {
    // Taken before reading the sources: what changes during the build is built again next time.
    const wanted = signature();
    if (ifStale && isFresh(wanted)) return true;
    rmSync(STAMP, { force: true });
    // what Node compiled of the last build, it never looks at again
    rmSync(at('build', 'compile-cache'), { recursive: true, force: true });
    const outputs = await run([appBuild(), localBuild(), ...(existsSync(at('cli')) ? [cliBuild()] : [])]);
    if (outputs === undefined) return false;
    replace(STAMP, Buffer.from(JSON.stringify({ signature: wanted, outputs })));
    return true;
  });
};

if (fileURLToPath(import.meta.url) === realpathSync(process.argv[1] ?? '.')) {
  try {
    const done = process.argv.includes('--cli-operations')
      ? (await run([cliOperationsBuild()])) !== undefined
      : await build({ ifStale: process.argv.includes('--if-stale') });
    if (!done) process.exitCode = 1;
  } catch (error) {
    const missing = error.code === 'ERR_MODULE_NOT_FOUND';
    process.stderr.write(
      missing ? 'The packages are not installed: run npm ci.\n' : `The build failed: ${error.message}\n`,
    );
    process.exitCode = 1;
  }
}

// `node infra/cold-start.mjs [--runs N]`: how long a fresh Node takes to load the deployed bundle, beside the same code unbundled.
// Prints both medians; the last line is one JSON object. Nothing is called: this is the part of a cold start that is ours.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { build } from '../local/build.mjs';

const script = fileURLToPath(import.meta.url);
const root = dirname(dirname(script));
const unbundled = join(root, 'build', 'cold-start', 'unbundled');

/** Runs of each kind, taken in turns, so that what else the machine does falls on both alike. */
const RUNS = 9;

/** The settings that the app asks for when it is loaded; nothing is reached under them. */
const exampleSettings = () => JSON.parse(readFileSync(join(root, 'local.settings.example.json'), 'utf8')).Values;

/**
 * Loads an app's entry point as the Functions worker does, with a stub of the core module that the worker provides.
 * Resolves to the milliseconds that took, and to every function that was registered, as `{ name, type }`.
 */
async function load(file) {
  const functions = [];
  class Disposable {
    dispose() {}
  }
  let model;
  const core = {
    version: '4',
    hostVersion: '4',
    Disposable,
    registerFunction: ({ name, bindings }) => {
      const type = Object.values(bindings).find(({ type }) => /Trigger$/i.test(type))?.type;
      functions.push({ name, type });
      return new Disposable();
    },
    registerHook: () => new Disposable(),
    setProgrammingModel: (given) => {
      model = given;
    },
    getProgrammingModel: () => model,
    log: () => {},
  };
  const original = Module.prototype.require;
  Module.prototype.require = function (id) {
    return id === '@azure/functions-core' ? core : Reflect.apply(original, this, [id]);
  };
  const started = performance.now();
  createRequire(script)(file);
  const milliseconds = performance.now() - started;
  return { milliseconds, functions, modules: Object.keys(createRequire(script).cache).length };
}

/** Loads an entry point in a process of its own. @throws {Error} with what the process wrote where it fails. */
export function loadInFreshNode(file) {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [script, '--load', file], {
    encoding: 'utf8',
    env: { ...process.env, ...exampleSettings(), NODE_OPTIONS: '' },
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${file} could not be loaded:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** Every source file of the app as a module of its own; packages stay where npm put them. */
async function writeUnbundled() {
  const { build: compile } = await import('esbuild');
  rmSync(unbundled, { recursive: true, force: true });
  mkdirSync(unbundled, { recursive: true });
  const entryPoints = ['functions', 'orchestrations', 'shared'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(root, folder, name)),
  );
  await compile({
    entryPoints,
    outbase: root,
    outdir: unbundled,
    bundle: false,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    keepNames: true,
    logLevel: 'warning',
  });
  return join(unbundled, 'functions', 'index.js');
}

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const rounded = (value, digits) => Number(value.toFixed(digits));

async function compare(runs) {
  if (!(await build({ ifStale: true }))) throw new Error('The build failed.');
  const files = { bundled: join(root, 'dist', 'main.js'), unbundled: await writeUnbundled() };
  // the first load of each fills the page cache and is not counted
  const warm = { bundled: loadInFreshNode(files.bundled), unbundled: loadInFreshNode(files.unbundled) };
  const names = (functions) => functions.map(({ name }) => name).sort();
  if (JSON.stringify(names(warm.bundled.functions)) !== JSON.stringify(names(warm.unbundled.functions)))
    throw new Error('Bundled and unbundled register different functions: they are not the same code.');

  const times = { bundled: [], unbundled: [] };
  for (let run = 0; run < runs; run += 1)
    for (const kind of ['bundled', 'unbundled']) times[kind].push(loadInFreshNode(files[kind]).milliseconds);

  const { version } = process;
  console.log(
    `Node ${version}, ${runs} fresh processes of each, in turns; milliseconds to load, least / median / most`,
  );
  for (const [kind, values] of Object.entries(times)) {
    const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(0));
    console.log(
      `  ${kind.padEnd(9)} ${least} / ${median(values).toFixed(0)} / ${most}   ${warm[kind].modules} files loaded`,
    );
  }
  const [bundledMs, unbundledMs] = [median(times.bundled), median(times.unbundled)];
  console.log(
    JSON.stringify({
      bundledMs: rounded(bundledMs, 1),
      unbundledMs: rounded(unbundledMs, 1),
      ratio: rounded(bundledMs / unbundledMs, 3),
    }),
  );
}

if (script === realpathSync(process.argv[1] ?? '.')) {
  const [option, value] = process.argv.slice(2);
  try {
    if (option === '--load') console.log(JSON.stringify(await load(value)));
    else if (option === undefined || (option === '--runs' && Number.isInteger(Number(value)) && Number(value) > 0))
      await compare(Number(value ?? RUNS));
    else throw new Error('Usage: node infra/cold-start.mjs [--runs <number>]');
  } catch (error) {
    console.error(option === '--load' ? error : error.message);
    process.exitCode = 1;
  }
}

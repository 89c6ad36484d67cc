#!/usr/bin/env node
// `npx gatehouse <command>`: builds the command line where its sources have changed, and runs it. `npx` runs this on the Node of this
// checkout; where another one runs it that is too old, the one of the checkout takes over.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import * as module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const WANTED = readFileSync(join(root, '.node-version'), 'utf8').trim();

const fail = (sentence) => {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
};

/** The Node that package-lock.json pins, where it was installed. */
function pinnedNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  for (const name of [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]) {
    const manifest = join(root, 'node_modules', name, 'package.json');
    if (!existsSync(manifest)) continue;
    const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
    if (bin?.node !== undefined) return join(root, 'node_modules', name, bin.node);
  }
  return fail(
    `gatehouse needs Node ${WANTED}, and this is ${process.version}: run npm ci in ${root}, which installs it.`,
  );
}

function runOn(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // a terminal sends Ctrl-C to both: the child's end is ours
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) =>
    fail(`Node ${WANTED} could not be started (${error.message}): run npm ci in ${root}.`),
  );
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const each of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
}

async function runHere() {
  const { build } = await import('../local/build.mjs');
  const isBuilt = await build({ ifStale: true }).catch((error) =>
    fail(
      error.code === 'ERR_MODULE_NOT_FOUND'
        ? `The packages are not installed: run npm ci in ${root}.`
        : `The build failed: ${error.message}`,
    ),
  );
  if (!isBuilt) process.exit(1);
  module.enableCompileCache?.(join(root, 'build', 'compile-cache'));
  await import(pathToFileURL(join(root, 'build', 'cli', 'start.mjs')).href);
}

if (Number(process.versions.node.split('.')[0]) >= Number(WANTED.split('.')[0])) await runHere();
else runOn(pinnedNode());

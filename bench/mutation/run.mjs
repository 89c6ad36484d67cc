// `npm run bench:mutation [-- file …]`: mutates `shared/domain`, or the files that are named, in small ways, and counts those that no unit
// test notices. What was found stands in `build/mutation`; files and tests that did not change since are not run again. The last line is one
// JSON object. The packages it needs are its own: nobody installs them who does not run it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(folder));

const run = (command, given, cwd) => {
  const { status, error } = spawnSync(command, given, { cwd, stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 1;
};

if (!existsSync(join(folder, 'node_modules')) && run('npm', ['ci', '--ignore-scripts'], folder) !== 0) process.exit(1);

const files = process.argv.slice(2);
const status = run(
  process.execPath,
  [
    join(folder, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js'),
    'run',
    'bench/mutation/stryker.config.mjs',
    ...(files.length > 0 ? ['--mutate', files.join(',')] : []),
  ],
  root,
);

const CAUGHT = new Set(['Killed', 'Timeout']);
const MISSED = new Set(['Survived', 'NoCoverage']);
const report = JSON.parse(readFileSync(join(root, 'build', 'mutation', 'mutation.json'), 'utf8'));
const mutants = Object.values(report.files).flatMap((file) => file.mutants);
const caught = mutants.filter((mutant) => CAUGHT.has(mutant.status)).length;
const missed = mutants.filter((mutant) => MISSED.has(mutant.status)).length;
const score = Math.round((caught / (caught + missed)) * 1_000) / 10;
console.log(JSON.stringify({ files: Object.keys(report.files).length, caught, missed, score }));
process.exit(status);

// `npm run bench:mutation [-- file …]`: mutates `shared/domain`, or the files that are named, in small ways, and counts those that no unit
// test notices. What was found stands in `build/mutation` and, as figures, in docs/proof.md; files and tests that did not change since are not
// run again. The last line is one JSON object. The packages it needs are its own: nobody installs them who does not run it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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
// what earlier runs found, of files and tests that did not change since, stands there as well
const { files: known } = JSON.parse(readFileSync(join(root, 'build', 'mutation', 'incremental.json'), 'utf8'));
const scoreOf = (caught, missed) => Math.round((caught / (caught + missed)) * 1_000) / 10;
const rows = Object.entries(known)
  .map(([file, { mutants }]) => ({
    file,
    caught: mutants.filter(({ status }) => CAUGHT.has(status)).length,
    missed: mutants.filter(({ status }) => MISSED.has(status)).length,
  }))
  .filter(({ caught, missed }) => caught + missed > 0)
  .toSorted((one, other) => one.file.localeCompare(other.file));
const sumOf = (name) => rows.reduce((sum, row) => sum + row[name], 0);
const caught = sumOf('caught');
const missed = sumOf('missed');
const score = scoreOf(caught, missed);

const page = join(root, 'docs', 'proof.md');
const [begin, end] = ['<!-- mutation: made by npm run bench:mutation -->', '<!-- end of mutation -->'];
const text = readFileSync(page, 'utf8');
const table = [
  '| file | caught | missed | score |',
  '| --- | --- | --- | --- |',
  ...rows.map((row) => `| \`${row.file}\` | ${row.caught} | ${row.missed} | ${scoreOf(row.caught, row.missed)} % |`),
  `| in all | ${caught} | ${missed} | ${score} % |`,
].join('\n');
writeFileSync(
  page,
  `${text.slice(0, text.indexOf(begin) + begin.length)}\n\n${table}\n\n${text.slice(text.indexOf(end))}`,
);
run(process.execPath, [join(root, 'node_modules', 'prettier', 'bin', 'prettier.cjs'), '--write', page], root);

console.log(JSON.stringify({ files: rows.length, caught, missed, score }));
process.exit(status);

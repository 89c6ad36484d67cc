// Shows that the model-based test would notice: each mutation takes one guard out of a copy of the sources, and the runs there, or the
// tests of moments that they meet too seldom (test/workflow/deliveries.test.ts), must fail.
// `node test/long/mutations.mjs [name…]`; MUTATION_RUNS (40) and MUTATION_LENGTH (60) bound each; prints a JSON summary as its last line.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const RUNS = process.env.MUTATION_RUNS ?? '40';
const LENGTH = process.env.MUTATION_LENGTH ?? '60';
const MINUTES = process.env.MUTATION_MINUTES ?? '8';

/** Each is a guard of DESIGN, and what stands in its place without it: all of `from` are replaced, and there must be one. */
const mutations = [
  {
    name: 'none',
    why: 'the sources as they are: the runs must pass',
    changes: [],
  },
  {
    name: 'is-completed',
    why: 'no look at the waits that were armed before the next one is',
    changes: [
      {
        file: 'orchestrations/durable.ts',
        from: 'this.armed = this.armed.filter((wait) => !wait.isCompleted);\n    return this.armed.length < before;',
        to: 'const last = this.armed.at(-1)?.isCompleted === true && before !== this.looked;\n    this.looked = before;\n    return last;',
      },
      {
        file: 'orchestrations/durable.ts',
        from: 'private armed: Task[] = [];',
        to: 'private armed: Task[] = [];\n  private looked = 0;',
      },
    ],
  },
  {
    name: 'etag',
    why: 'the state row is written whatever stands there',
    changes: [
      {
        file: 'shared/records/dossiers.ts',
        from: "['update', row, 'Replace', { etag: stored.etag }]",
        to: "['update', row, 'Replace', { etag: '*' }]",
      },
      // the trail's rows would be created twice: the same accident one row later
      {
        file: 'shared/records/dossiers.ts',
        from: "TransactionAction => ['create', entryRow(partition(request.id), entry)]",
        to: "TransactionAction => ['upsert', entryRow(partition(request.id), entry), 'Replace']",
      },
    ],
  },
  {
    name: 're-check',
    why: 'what was decided is applied without another look',
    changes: [
      {
        file: 'orchestrations/activities/settle.ts',
        from: 'const { change, isMember, version } = await recheck(services, request, at);',
        to: 'const { isMember, version } = await recheck(services, request, at);\n      const change = undefined as Change | undefined;',
      },
    ],
  },
  {
    name: 'applying',
    why: 'nothing is written before Graph is called, so that a repeat does not know whose the membership is',
    changes: [
      {
        file: 'orchestrations/activities/settle.ts',
        from: ': await write(services, stored, startApplying(request, isMember, version, at));',
        to: ': { ...stored, request: startApplying(request, isMember, version, at).request };',
      },
    ],
  },
  {
    name: 'timer-cancel',
    why: 'a timer that a wake-up overtook goes on',
    changes: [{ file: 'orchestrations/durable.ts', from: 'if (!timer.isCompleted) timer.cancel();', to: '' }],
  },
  {
    name: 'only-ours',
    why: 'a membership is taken back whoever gave it',
    changes: [
      { file: 'orchestrations/activities/settle.ts', from: 'if (!wish.addedByGatehouse) return;', to: '' },
      {
        file: 'orchestrations/activities/membership.ts',
        from: "wanted: before.wanted === 'in' && !before.addedByGatehouse ? 'in' : 'out'",
        to: "wanted: 'out'",
      },
    ],
  },
];

const SOURCES = [
  'functions',
  'orchestrations',
  'shared',
  'local',
  'test',
  'jest.config.mjs',
  'package.json',
  'host.json',
  'tsconfig.json',
  'docs',
];

function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, text }));
  });
}

// the Node version of package-lock.json, whichever runs this script
const node = join(root, 'node_modules/.bin/node');
const jest = (copy, ...args) => [join(copy, 'node_modules/jest/bin/jest.js'), '--rootDir', copy, ...args];

/** @returns how many runs were made, and what the one that failed found. */
async function modelOf(name, copy) {
  const { code, text } = await run(
    node,
    jest(copy, '--config', 'test/long/jest.config.mjs', '--testPathPatterns', 'long/model'),
    {
      cwd: copy,
      env: {
        ...process.env,
        MODEL_SEED: '3',
        MODEL_RUNS: RUNS,
        MODEL_LENGTH: LENGTH,
        MODEL_MINUTES: MINUTES,
        MODEL_FAILURES: '1',
      },
    },
  );
  const line = text
    .trim()
    .split('\n')
    .findLast((each) => each.startsWith('{"part":"model"'));
  if (line === undefined) throw new Error(`${name}: the runs did not start:\n${text.slice(-2_000)}`);
  const { failures } = JSON.parse(readFileSync(join(copy, `build/long/model-3-${LENGTH}.json`), 'utf8'));
  return { runs: JSON.parse(line).runs, told: code === 0 ? undefined : failures[0]?.split('\n')[1] };
}

/** @returns the name of a test that fails. */
async function testsOf(copy) {
  const { code, text } = await run(node, jest(copy, 'test/workflow/deliveries.test.ts'), {
    cwd: copy,
    env: process.env,
  });
  return code === 0 ? undefined : (/● (.*)/.exec(text)?.[1] ?? text.slice(-2_000));
}

async function tried({ name, why, changes }) {
  const copy = mkdtempSync(join(tmpdir(), 'gatehouse-mutation-'));
  try {
    for (const source of SOURCES) cpSync(join(root, source), join(copy, source), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    for (const { file, from, to } of changes) {
      const path = join(copy, file);
      const text = readFileSync(path, 'utf8');
      if (!text.includes(from)) throw new Error(`${name}: ${file} has no longer what is to be taken out: ${from}`);
      writeFileSync(path, text.replaceAll(from, to));
    }
    const begun = Date.now();
    const { runs, told } = await modelOf(name, copy);
    // a moment that generated runs meet too seldom has a test of its own
    const byTest = told === undefined ? await testsOf(copy) : undefined;
    const seconds = Math.round((Date.now() - begun) / 1_000);
    const by = told !== undefined ? 'model' : byTest !== undefined ? 'deliveries' : undefined;
    return { name, why, failed: by !== undefined, by, runs, seconds, told: told ?? byTest ?? '' };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const wanted = process.argv.slice(2);
const results = [];
for (const mutation of mutations) {
  if (wanted.length > 0 && !wanted.includes(mutation.name)) continue;
  const result = await tried(mutation);
  results.push(result);
  console.log(
    `${result.failed ? 'fails' : 'passes'}  ${result.name}: ${result.why} (${result.by ?? 'nothing'}, ${result.runs} runs, ${result.seconds} s) ${result.told}`,
  );
}
const good = results.every(({ name, failed }) => failed === (name !== 'none'));
console.log(JSON.stringify({ part: 'mutations', good, results }));
process.exitCode = good ? 0 : 1;

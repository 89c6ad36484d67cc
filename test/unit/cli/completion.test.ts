import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { commands } from '../../../cli/commands';
import { completionFor } from '../../../cli/completion';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-completion-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What bash offers for a line whose last word is being typed. */
function offered(words: string[]): string[] {
  const script = join(folder, 'completion.bash');
  writeFileSync(script, completionFor('bash') ?? '');
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const { status, stdout, stderr } = spawnSync(
    'bash',
    [
      '--norc',
      '-c',
      `set -u; source '${script}'; COMP_WORDS=(gatehouse ${quoted}); COMP_CWORD=${String(words.length)}; _gatehouse; ((\${#COMPREPLY[@]})) && printf '%s\\n' "\${COMPREPLY[@]}"; complete -p gatehouse >&2`,
    ],
    { encoding: 'utf8', cwd: folder },
  );
  expect([status, stderr]).toEqual([0, 'complete -F _gatehouse gatehouse\n']);
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash offers every first word', () => {
  expect(offered([''])).toEqual([
    ...new Set(commands.map(({ words }) => words.split(' ')[0])),
    'token',
    'completion',
    'version',
    'help',
  ]);
});

/** The second words of the commands that begin so. */
const after = (first: string, start = ''): string[] =>
  commands.flatMap(({ words }) => {
    const [one, two = ''] = words.split(' ');
    return one === first && two.startsWith(start) ? [two] : [];
  });

test.each<[string[], string[]]>([
  [['po'], ['policy']],
  [['policy', ''], after('policy')],
  [['ops', 'ca'], ['cancel']],
  [['ops', 'c'], after('ops', 'c')],
  [['--local', '--as', 'olivia', 'ops', ''], after('ops')],
  [
    ['decide', '0123', ''],
    ['approve', 'deny'],
  ],
  [['decide', '--comment', 'ops list', '0123', 'a'], ['approve']],
  [['decide', '0123', 'approve', ''], []],
  [['policy', 'get', ''], ['default']],
  [['status', 'x', '--w'], ['--wait']],
  [['status', '--timeout', ''], []],
  [
    ['audit', '--format', ''],
    ['csv', 'jsonl'],
  ],
  [['status', '--sign-in', 'd'], ['device-code']],
  [['completion', 'f'], ['fish']],
  [['policy', 'apply', 'g', '--f'], ['--file']],
])('bash offers after %j: %j', (words, expected) => {
  expect(offered(words)).toEqual(expected);
});

test('bash offers files where a file is named', () => {
  writeFileSync(join(folder, 'my policy.json'), '{}');
  expect(offered(['policy', 'apply', 'g', '-f', 'my'])).toEqual(['my policy.json']);
});

test('every command has its options in every shell’s script', () => {
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
    const script = completionFor(shell) ?? '';
    for (const { words } of commands) expect(script).toContain(words);
    expect(script).toContain('user-principal-name');
  }
  expect(completionFor('tcsh')).toBeUndefined();
});

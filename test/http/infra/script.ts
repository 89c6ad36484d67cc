import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const root = join(__dirname, '..', '..', '..');

export interface Ended {
  code: number | null;
  output: string;
  errors: string;
}

/** Runs a script of infra/ to its end; of the test's own environment it sees PATH only. */
export function runScript(script: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(root, 'infra', script), ...args], {
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', fail);
    child.once('close', (code) => done({ code, output, errors }));
  });
}

export interface FakeAzd {
  /** A PATH on which it is found first. */
  path: string;
  /** What `azd env set` was told, in order. */
  remembered: () => [name: string, value: string][];
  remove: () => void;
}

/** An `azd` on a PATH of its own that keeps what it is told and gives out the values given here, quoted as azd does. */
export function fakeAzd(values: Record<string, string> = {}): FakeAzd {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-azd-'));
  const told = join(folder, 'told');
  const lines = Object.entries(values).map(([name, value]) =>
    /^\d+$/.test(value) ? `${name}=${value}` : `${name}="${value.replace(/([\\"!$`])/g, '\\$1')}"`,
  );
  writeFileSync(join(folder, 'values'), lines.join('\n'));
  const script = `#!/bin/sh
if [ "$1 $2" = "env get-values" ]; then cat '${folder}/values'; exit 0; fi
if [ "$1 $2" = "env set" ]; then printf '%s=%s\\n' "$3" "$4" >> '${told}'; exit 0; fi
exit 1
`;
  writeFileSync(join(folder, 'azd'), script);
  chmodSync(join(folder, 'azd'), 0o755);
  return {
    path: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
    remembered: () =>
      existsSync(told)
        ? readFileSync(told, 'utf8')
            .trim()
            .split('\n')
            .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
        : [],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableClient } from '@azure/data-tables';
import { passedEnvironment } from '../../../local/stack/stack';
import type { Stack } from '../../../local/stack/stack';

export const fixtureApp = join(__dirname, 'fixture-app');
export const repository = join(__dirname, '..', '..', '..');

/** A new folder for one test file, and its removal. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when `check` holds; fails after `ms`, telling what `seen` gives. */
export async function eventually(
  check: () => boolean | Promise<boolean>,
  ms = 15_000,
  seen: () => string = () => '',
): Promise<void> {
  const until = performance.now() + ms;
  while (!(await check())) {
    if (performance.now() > until) throw new Error(`Not so within ${ms} ms: ${check.toString()}\n${seen()}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** A client of the stack's tables that signs in as the app does. */
export function tableClient(stack: Stack, table: string, endpoint = stack.urls.tables): TableClient {
  return new TableClient(
    endpoint,
    table,
    { getToken: () => identityToken(stack) },
    {
      tlsOptions: { ca: stack.tls.ca },
      retryOptions: { maxRetries: 0 },
    },
  );
}

export async function identityToken(stack: Stack): Promise<{ token: string; expiresOnTimestamp: number }> {
  const { IDENTITY_ENDPOINT = '', IDENTITY_HEADER = '', AZURE_CLIENT_ID = '' } = stack.settings;
  const query = new URLSearchParams({
    'api-version': '2019-08-01',
    resource: 'https://storage.azure.com',
    client_id: AZURE_CLIENT_ID,
  });
  const answer = await fetch(`${IDENTITY_ENDPOINT}?${query.toString()}`, {
    headers: { 'x-identity-header': IDENTITY_HEADER },
  });
  const body = (await answer.json()) as { access_token: string; expires_on: string };
  return { token: body.access_token, expiresOnTimestamp: Number(body.expires_on) * 1000 };
}

export interface Run {
  process: ChildProcess;
  pid: number;
  output: () => string;
  ended: Promise<number | null>;
}

const runs: Run[] = [];

/** Ends what a failed test left running. */
export async function endRuns(): Promise<void> {
  for (const run of runs)
    if (run.process.exitCode === null && run.process.signalCode === null) run.process.kill('SIGKILL');
  await Promise.all(runs.map(({ ended }) => ended));
}

/** Runs node on a script of the checkout, without any of this process's settings. */
export function runNode(args: string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}): Run {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd ?? repository,
    env: { ...passedEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const run = { process: child, pid: child.pid ?? 0, output: () => output, ended };
  runs.push(run);
  return run;
}

// `npm run audit:verify`: checks the trail's chains, the copy and the seals of any deployment, and writes nothing.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { AzureCliCredential, ChainedTokenCredential, ManagedIdentityCredential } from '@azure/identity';
import { z } from 'zod';
import { AUDIT_TABLE } from '../../shared/audit/copy';
import { verifyAudit } from '../../shared/audit/verify';
import type { Verification } from '../../shared/audit/verify';
import { connectTable, connectTables } from '../../shared/records/tables';
import { systemCode } from '../folders';
import { readOptions, runCommand } from '../stack/command';
import { StackProblem } from '../stack/state-folder';

const USAGE = `npm run audit:verify -- [--env-file <file>] [--seal <day>:<hash>] [--all]

  --env-file <file>     settings as NAME=value lines, such as npm run emulators writes; this command's environment otherwise
  --seal <day>:<hash>   a seal that was written down elsewhere: it must stand as it was
  --all                 name every broken row, not only the first of all

Needs TABLES_ENDPOINT and AUDIT_TABLES_ENDPOINT, and the right to read both: as whom "az login" signed in, or as the managed identity of
the machine. Ends with 0 where everything holds, 1 where something does not, 2 where it could not be checked.`;

const COULD_NOT = 2;

const settingsSchema = z.object({
  TABLES_ENDPOINT: z.url({ protocol: /^https$/ }),
  AUDIT_TABLES_ENDPOINT: z.url({ protocol: /^https$/ }),
  AZURE_CLIENT_ID: z.string().optional(),
  IDENTITY_ENDPOINT: z.string().optional(),
});

/** The lines of a settings file. */
function readEnvFile(file: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new StackProblem(`${file} cannot be read (${systemCode(error) ?? String(error)}).`);
  }
  const lines = text.split('\n').filter((line) => /^\w+=/.test(line));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** Runs this command again with the settings of the file: what Node trusts is read once, at its start. */
function again(settings: Record<string, string>, args: readonly string[], signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, '--', process.argv[1] ?? '', ...args], {
      env: { ...process.env, ...settings },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    signal.addEventListener('abort', () => child.kill(), { once: true });
    child.once('error', reject);
    child.once('close', (code) => {
      resolve(code ?? COULD_NOT);
    });
  });
}

function tell({ findings, chains, entries, copied, waiting, seals, lastSeal }: Verification, all: boolean): void {
  for (const { row, why } of all ? findings : findings.slice(0, 1)) console.log(`BROKEN ${row}: ${why}`);
  if (!all && findings.length > 1) console.log(`and ${String(findings.length - 1)} more; --all names them`);
  console.log(
    `${String(chains)} chains with ${String(entries)} entries, ${String(copied)} copied, ${String(waiting)} waiting, ${String(seals)} seals`,
  );
  if (lastSeal !== undefined) console.log(`last seal ${lastSeal.day}:${lastSeal.hash}`);
}

async function verify(signal: AbortSignal): Promise<number> {
  const options = readOptions(
    { 'env-file': { type: 'string' }, seal: { type: 'string' }, all: { type: 'boolean', default: false } },
    USAGE,
  );
  const expected = /^(\d{4}-\d\d-\d\d):([0-9a-f]{64})$/.exec(options.seal ?? '');
  if (options.seal !== undefined && expected === null)
    throw new StackProblem('--seal must be a day and its hash, as audit:verify prints them.');
  if (options['env-file'] !== undefined) {
    const args = [...(options.seal === undefined ? [] : ['--seal', options.seal]), ...(options.all ? ['--all'] : [])];
    return again(readEnvFile(options['env-file']), args, signal);
  }

  const parsed = settingsSchema.safeParse(process.env);
  if (!parsed.success) {
    const names = parsed.error.issues.map(({ path }) => String(path[0])).join(' and ');
    throw new StackProblem(`${names} must be set to https URLs.\nUsage: ${USAGE}`);
  }
  const { TABLES_ENDPOINT, AUDIT_TABLES_ENDPOINT, AZURE_CLIENT_ID, IDENTITY_ENDPOINT } = parsed.data;
  const identity =
    AZURE_CLIENT_ID === undefined
      ? new ManagedIdentityCredential()
      : new ManagedIdentityCredential({ clientId: AZURE_CLIENT_ID });
  // a machine that has an identity's endpoint is asked first: there, "az" may be signed in as anybody
  const credential = new ChainedTokenCredential(
    ...(IDENTITY_ENDPOINT === undefined ? [new AzureCliCredential(), identity] : [identity, new AzureCliCredential()]),
  );
  const data = connectTables(TABLES_ENDPOINT.replace(/\/+$/, ''), credential);
  const audit = connectTable(AUDIT_TABLES_ENDPOINT.replace(/\/+$/, ''), credential, AUDIT_TABLE);
  const result = await verifyAudit(
    { ...data, audit },
    expected === null ? undefined : { day: expected[1] ?? '', hash: expected[2] ?? '' },
    new Date(),
  );
  tell(result, options.all);
  return result.findings.length === 0 ? 0 : 1;
}

runCommand((signal) =>
  verify(signal).catch((error: unknown) => {
    if (error instanceof StackProblem) console.error(error.message);
    else
      console.error(`The audit trail could not be checked: ${error instanceof Error ? error.message : String(error)}`);
    return COULD_NOT;
  }),
);

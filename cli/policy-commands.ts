import { EXIT, exitCodeOf, usage } from './failure';
import type { ExitCode } from './failure';
import { readJsonFile } from './arguments';
import { finish } from './flows';
import type { Visit } from './flows';
import { operationOf } from './operations';
import { textOf } from './settings';
import { leaves, showDryRun } from './show';
import { printable } from './terminal';
import { at } from './value';

/** The policy in the file of `--file`: alone, or in an answer of `policy get --json`. */
async function policyIn(path: string, visit: Visit): Promise<unknown> {
  const found = await readJsonFile(path, visit);
  return at(found, 'version') === undefined ? found : (at(found, 'policy') ?? found);
}

/** Says what would happen if a person asked. @returns 7 where they may not */
export async function dryRunPolicy(visit: Visit): Promise<ExitCode> {
  const path = textOf(visit.given, 'file');
  const policy = path === undefined ? undefined : await policyIn(path, visit);
  return tryOut(visit, { ...visit.values, ...(policy !== undefined && { policy }) });
}

async function tryOut(visit: Visit, values: Visit['values']): Promise<ExitCode> {
  const answer = await visit.api.call(operationOf('dryRunPolicy'), values);
  const code = finish({ ...visit, command: { ...visit.command, show: showDryRun } }, answer);
  return code === EXIT.done && at(answer.json, 'eligible') !== true ? EXIT.otherOutcome : code;
}

/** Reads the policy, says what the file changes, and writes it if nobody else wrote meanwhile. */
export async function applyPolicy(visit: Visit): Promise<ExitCode> {
  const path = textOf(visit.given, 'file');
  if (path === undefined) throw usage('Name the file that holds the policy: --file <file>, or - for standard input.');
  const person = textOf(visit.given, 'dry-run');
  if (person !== undefined && visit.isDefault)
    throw usage('A dry run is of one group: gatehouse policy dry-run <groupId> <userId> --file <file>.');
  const wanted = await policyIn(path, visit);

  const reading = operationOf(visit.isDefault ? 'readDefaultPolicy' : 'readGroupPolicy');
  const present = await visit.api.call(reading, visit.values);
  const etag = present.headers.get('etag') ?? '"none"';
  if (exitCodeOf(present.status) !== EXIT.done) return finish(visit, present);
  const differences = differencesOf(at(present.json, 'policy'), await withDefaults(wanted));
  for (const line of differences) visit.tell(line);
  if (person !== undefined) return tryOut(visit, { ...visit.values, userId: person, policy: wanted });
  if (differences.length === 0) {
    if (etag !== '"none"') {
      visit.tell('Nothing is different: nothing was written.');
      return finish(visit, present);
    }
    visit.tell('It says what holds already, from now on as a policy of its own.');
  }
  return finish(
    visit,
    await visit.api.call(visit.operation, visit.values, { body: wanted, headers: { 'if-match': etag } }),
  );
}

/** The policy as it will be kept, where it is one; what is wrong with it Gatehouse says. */
async function withDefaults(policy: unknown): Promise<unknown> {
  const { policySchema } = await import('../shared/domain/policy');
  const { success, data } = policySchema.safeParse(policy);
  return success ? data : policy;
}

/** A line for each value that goes (`-`) and each that comes (`+`). */
export function differencesOf(before: unknown, after: unknown): string[] {
  const [old, fresh] = [new Map(leaves(before)), new Map(leaves(after))];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((path) => old.get(path) !== fresh.get(path))
    .flatMap((path) => [
      ...(old.has(path) ? [`- ${path}: ${old.get(path) ?? ''}`] : []),
      ...(fresh.has(path) ? [`+ ${path}: ${fresh.get(path) ?? ''}`] : []),
    ])
    .map(printable);
}

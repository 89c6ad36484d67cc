// The frame of every hook: `--dry-run` tells what would change, `--undo` takes back what the hook made.
import { parseArgs } from 'node:util';
import { connectGraph, Failure, run } from '../graph-permissions/graph-client.mjs';
import { environmentOf } from './environment.mjs';

/** The values of these variables. @throws {Failure} naming every one that is missing, and how to set it */
export function required(environment, names) {
  const missing = Object.entries(names).filter(([name]) => environment[name] === undefined);
  if (missing.length > 0)
    throw new Failure(
      `Missing in the azd environment:\n${missing.map(([name, what]) => `  azd env set ${name} <${what}>`).join('\n')}`,
    );
  return Object.fromEntries(Object.keys(names).map((name) => [name, environment[name]]));
}

/**
 * Runs a hook's `apply`, or its `undo` where that was asked for, each with
 * `{ environment, connect, dryRun, say }`; `connect` signs in to Microsoft Graph.
 */
export const hook = (name, { apply, undo }) =>
  run(async () => {
    const { values } = parseArgs({
      options: { 'dry-run': { type: 'boolean', default: false }, undo: { type: 'boolean', default: false } },
    });
    const environment = environmentOf(process.env);
    const visit = {
      environment,
      connect: () => connectGraph(environment),
      dryRun: values['dry-run'],
      say: (line) => console.log(line),
    };
    console.log(`${name}${values.undo ? ' --undo' : ''}${values['dry-run'] ? ' --dry-run' : ''}`);
    await (values.undo ? undo : apply)(visit);
    if (!values.undo && !values['dry-run']) console.log(`To undo: node infra/hooks/${name}.mjs --undo`);
  });

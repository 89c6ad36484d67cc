// `node infra/graph-permissions/grant.mjs --help`: gives the app's identity what it needs on Microsoft Graph, by feature, or takes it back.
import { parseArgs } from 'node:util';
import { environmentOf } from '../hooks/environment.mjs';
import { connectGraph, Failure, run } from './graph-client.mjs';
import { featureNames, features, grant, show, takeBack } from './permissions.mjs';

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const usage = () => `Usage: node infra/graph-permissions/grant.mjs [options]

  --identity <id>      object id of the identity's service principal; default: azd's output identityPrincipalId
  --features <names>   comma-separated; default: join. With --undo, default: all
  --dry-run            tells what would change, and changes nothing
  --show               tells what the identity has
  --undo               takes permissions back
  --any-principal      also for a service principal that is no managed identity

Features:
${Object.entries(features)
  .map(([name, { permissions, why }]) => `  ${name.padEnd(14)} ${permissions.join(', ')}\n${' '.repeat(17)}${why}`)
  .join('\n')}

Signs in as you are signed in to the Azure CLI, or with the token in GATEHOUSE_GRAPH_TOKEN. Giving permissions takes the role Privileged
Role Administrator; --show takes any that reads applications.`;

function parse() {
  try {
    return parseArgs({
      options: {
        identity: { type: 'string' },
        features: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        show: { type: 'boolean', default: false },
        undo: { type: 'boolean', default: false },
        'any-principal': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new Failure(`${error.message}\n\n${usage()}`);
  }
}

await run(async () => {
  const options = parse();
  if (options.help) {
    console.log(usage());
    return;
  }
  if (options.show && (options.undo || options['dry-run'])) throw new Failure('--show stands alone.');
  const environment = environmentOf(process.env);
  const identity = options.identity ?? environment.identityPrincipalId;
  if (!GUID.test(identity ?? ''))
    throw new Failure(
      `Give the object id of the identity's service principal as --identity (the output identityPrincipalId of the deployment).`,
    );
  const names = featureNames(options.features ?? (options.undo ? Object.keys(features).join(',') : 'join'));
  const graph = await connectGraph(environment);
  const settings = {
    dryRun: options['dry-run'],
    anyPrincipal: options['any-principal'],
    say: (line) => console.log(line),
  };
  if (options.show) return show(graph, identity, settings);
  if (options.undo) return takeBack(graph, identity, names, settings);
  await grant(graph, identity, names, settings);
  if (!options['dry-run'])
    console.log(
      `A token that the app has already keeps what it was given with, for up to a day: restart the app.\nTo undo: node infra/graph-permissions/grant.mjs --identity ${identity} --features ${names.join(',')} --undo`,
    );
});

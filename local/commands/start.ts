// `npm start`: the whole stack on its default ports, until Ctrl-C.
import { groups, people, userPrincipalNameOf } from '../demo-tenant';
import type { PersonAlias } from '../demo-tenant';
import { aborted, defaultState, readOptions, readPorts, runCommand } from '../stack/command';
import { firstRequestCurl } from '../stack/first-request';
import { startStack } from '../stack/stack';
import type { Stack } from '../stack/stack';

const USAGE = 'npm start -- [--state <folder>] [--fresh] [--port-base <first port>] [--verbose]';

const WHO: [PersonAlias, string][] = [
  ['rita', 'asks to join'],
  ['olivia', `owns ${groups.design.displayName}, decides`],
  ['mona', 'manager of Rita'],
  ['otto', 'operations'],
  ['adele', 'administrator of the policies'],
  ['aude', 'auditor'],
  ['gus', 'guest'],
];

function welcome({ urls, state }: Stack, seconds: string): string {
  const address = (what: string, url: string): string => `  ${what.padEnd(12)}${url}`;
  const person = ([alias, what]: [PersonAlias, string]): string =>
    `  ${userPrincipalNameOf(people[alias]).padEnd(48)}${what}`;
  return [
    `Gatehouse runs (${seconds} s). Ctrl-C stops it; what it keeps is in ${state}.`,
    '',
    address('Start page', `${urls.frontDoor}/`),
    address('Requests', `${urls.frontDoor}/local/requests`),
    address('Inbox', `${urls.mail}/`),
    address('Directory', `${urls.directory}/`),
    address('Sign-in', `${urls.entra}/`),
    '',
    'Who is who (nobody needs a password):',
    ...WHO.map(person),
    '',
    'A first request, for bash:',
    '',
    firstRequestCurl(urls),
    '',
  ].join('\n');
}

let state = defaultState;

async function start(signal: AbortSignal): Promise<number> {
  const started = performance.now();
  const options = readOptions(
    {
      state: { type: 'string' },
      fresh: { type: 'boolean' },
      'port-base': { type: 'string' },
      verbose: { type: 'boolean' },
    },
    USAGE,
  );
  state = options.state ?? defaultState;
  console.log('Starting the local stack …');
  // What the host says of its start is told when it has started; where it fails, its sentence is told instead.
  let held: string[] | undefined = [];
  const stack = await startStack({
    state,
    fresh: options.fresh,
    ports: readPorts(options['port-base']),
    supervise: true,
    signal,
    onEvent: (sentence) => console.log(sentence),
    onLog: (part, line) => {
      const shown = `${part} | ${line}`;
      if (options.verbose === true) console.log(shown);
      else if (part === 'host' && held !== undefined) held.push(shown);
      else if (part === 'host') console.log(shown);
    },
  });
  if (signal.aborted) {
    await stack.stop();
    return 0;
  }
  for (const line of held) console.log(line);
  held = undefined;
  console.log(welcome(stack, ((performance.now() - started) / 1000).toFixed(1)));
  await aborted(signal);
  await stack.stop();
  return 0;
}

runCommand(start, () => state);

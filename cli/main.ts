// `gatehouse`: the API for those who script.
import { openApi } from './api';
import { findCommand, optionName, readArguments } from './arguments';
import { commands } from './commands';
import { completionFor } from './completion';
import { EXIT, Failure, usage } from './failure';
import type { ExitCode } from './failure';
import { generalHelp, helpOf, OWN_COMMANDS } from './help';
import { baseUrlOf, COMMON, textOf } from './settings';
import type { Given } from './settings';
import { givenToken, signIn } from './sign-in';
import type { TokenSource } from './sign-in';
import type { Surroundings } from './surroundings';
import { version } from '../package.json';
import { parseArgs } from 'node:util';

/** Runs one command. */
export async function main(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  try {
    return await run(args, surroundings);
  } catch (error) {
    if (!(error instanceof Failure)) {
      surroundings.tell(
        `Something went wrong here. ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      return EXIT.unexpected;
    }
    surroundings.tell(error.message);
    return error.code;
  }
}

async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { out } = surroundings;
  const found = findCommand(args, commands);
  if (found === undefined) return runOwn(args, surroundings);
  const invocation = await readArguments(found.command, found.rest, surroundings);
  const { given, operation, command } = invocation;
  if (given['help'] === true) {
    out(`${helpOf(command)}\n`);
    return EXIT.done;
  }
  if (given['token-stdin'] === true && given['file'] === '-')
    throw usage('Standard input holds the token or the file, not both.');
  const baseUrl = baseUrlOf(given, surroundings.env);
  const token = operation.roles === null ? undefined : await tokenFor(given, baseUrl, operation.roles, surroundings);
  return command.run({ ...invocation, ...surroundings, api: openApi(baseUrl, token) });
}

/** Where tokens come from: as the options say, else from the environment. */
async function tokenFor(
  given: Given,
  baseUrl: string,
  roles: readonly string[],
  surroundings: Surroundings,
): Promise<TokenSource> {
  const { env, readInput } = surroundings;
  const alias = textOf(given, 'as');
  if (alias !== undefined && given['local'] !== true) throw usage('--as goes with --local.');
  if (given['token-stdin'] === true) return givenToken(await readInput(), 'standard input');
  if (given['local'] === true) {
    const { localSignIn } = await import('./local-stack');
    return localSignIn(baseUrl, alias, roles);
  }
  const ready = env['GATEHOUSE_ACCESS_TOKEN'];
  if (ready && textOf(given, 'sign-in') === undefined) return givenToken(ready, 'GATEHOUSE_ACCESS_TOKEN');
  return signIn(given, surroundings);
}

/** The commands that ask nothing of the API, and whatever is none. */
async function runOwn(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { out } = surroundings;
  const [first = 'help', ...rest] = args;
  const wantsHelp = rest.includes('--help') || rest.includes('-h');
  switch (first) {
    case 'help':
    case '--help':
    case '-h':
      out(`${helpFor(rest)}\n`);
      return EXIT.done;
    case 'version':
    case '--version':
      out(`${version}\n`);
      return EXIT.done;
    case 'completion':
      out(wantsHelp ? ownHelp(first) : (completionFor(rest[0] ?? '') ?? noShell(rest[0])));
      return EXIT.done;
    case 'token':
      out(wantsHelp ? ownHelp(first) : `${await printedToken(rest, surroundings)}\n`);
      return EXIT.done;
    default:
      throw usage(unknown(args));
  }
}

function helpFor(words: readonly string[]): string {
  const found = findCommand(words, commands);
  if (found !== undefined) return helpOf(found.command);
  const own = OWN_COMMANDS.find((each) => each.words === words[0]);
  if (own !== undefined) return ownHelp(own.words).trimEnd();
  const group = words[0];
  const inGroup = commands.filter((each) => group !== undefined && each.words.startsWith(`${group} `));
  if (inGroup.length > 0) return inGroup.map(helpOf).join('\n\n');
  if (group !== undefined) throw usage(unknown(words));
  return generalHelp();
}

function ownHelp(words: string): string {
  const { arguments: more, help } = OWN_COMMANDS.find((each) => each.words === words) ?? { help: '' };
  return `gatehouse ${words}${more === undefined ? '' : ` ${more}`}\n\n${help}\n`;
}

function noShell(shell: string | undefined): never {
  const known = OWN_COMMANDS.find(({ words }) => words === 'completion')?.choices ?? [];
  throw usage(
    `${shell === undefined ? 'Name the shell' : `There is no completion for ${shell}`}: ${known.join(', ')}.`,
  );
}

function unknown(words: readonly string[]): string {
  const group = words.find((word) => !word.startsWith('-')) ?? words[0] ?? '';
  const inGroup = commands.filter((each) => each.words.startsWith(`${group} `)).map((each) => each.words);
  if (inGroup.length > 0) return `${group} goes on: ${inGroup.join(', ')}.`;
  return `There is no command ${group}: gatehouse help lists what there is.`;
}

async function printedToken(args: readonly string[], surroundings: Surroundings): Promise<string> {
  const options = Object.fromEntries(
    Object.entries(COMMON).map(([name, { value }]) => [
      optionName(name),
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  let given: Given;
  try {
    given = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
  const source = await tokenFor(given, baseUrlOf(given, surroundings.env), [], surroundings);
  return source();
}

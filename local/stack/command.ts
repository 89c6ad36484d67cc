import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';
import { root } from './paths';
import { DEFAULT_PORT_BASE, portNames, portsFrom } from './ports';
import type { Ports } from './ports';
import { StackProblem, explainProblem } from './state-folder';

/** Where the stack keeps its state unless `--state` says otherwise. */
export const defaultState = join(root, '.gatehouse');

/** A command's options; any other argument is a problem, told with `usage`. `--help` prints that and ends the process. */
export function readOptions<Options extends ParseArgsOptionsConfig>(
  options: Options,
  usage: string,
): ReturnType<typeof parseArgs<{ options: Options; args: string[]; strict: true }>>['values'] {
  if (process.argv.slice(2).some((arg) => arg === '--help' || arg === '-h')) {
    console.log(`Usage: ${usage}`);
    process.exit(0);
  }
  try {
    return parseArgs({ options, args: process.argv.slice(2), strict: true }).values;
  } catch (error) {
    const sentence = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new StackProblem(`${sentence}.\nUsage: ${usage}`);
  }
}

/** A port number that was given as text. */
export function readPort(name: string, text: string, highest = 65_535): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 1 || port > highest) throw new StackProblem(`--${name} must be a number from 1 to ${highest}.`);
  return port;
}

/** The stack's ports from `--port-base` on. */
export function readPorts(base: string | undefined): Ports {
  return portsFrom(readPort('port-base', base ?? String(DEFAULT_PORT_BASE), 65_536 - portNames.length));
}

// Ctrl-C reaches this process from the terminal and again from boot.mjs: what follows at once is the same one.
const SAME_MS = 1_000;

/** Aborts when the command is to end: Ctrl-C, SIGTERM, or the end of the process that started it. Insisting ends it at once. */
export function endSignal(): AbortSignal {
  const controller = new AbortController();
  let since: number | undefined;
  const end = (): void => {
    if (since !== undefined && performance.now() - since > SAME_MS) process.exit(130);
    if (since === undefined) console.log('Stopping …');
    since ??= performance.now();
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  if (process.channel !== undefined) {
    process.on('disconnect', end);
    process.channel.unref();
  }
  return controller.signal;
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // A signal handler alone doesn't keep a process alive.
    const alive = setInterval(() => undefined, 60_000);
    const done = (): void => {
      clearInterval(alive);
      resolve();
    };
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}

/** Runs a command: its number is the exit code; what a person can mend is told in a sentence, anything else in full. */
export function runCommand(
  command: (signal: AbortSignal) => Promise<number>,
  state: () => string = () => defaultState,
): void {
  const signal = endSignal();
  command(signal).then(
    (code) => process.exit(code),
    (error: unknown) => {
      if (signal.aborted) process.exit(0);
      const sentence = explainProblem(error, state());
      console.error(sentence ?? (error instanceof Error ? (error.stack ?? error.message) : error));
      process.exit(1);
    },
  );
}

// `npm run start:func`: the emulators, and Azure Functions Core Tools (`func start`) on this folder.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { readOptions, readPort, readPorts, runCommand } from '../stack/command';
import { emulatorsState, startEmulators } from '../stack/emulators';
import { root } from '../stack/paths';
import { StackProblem } from '../stack/state-folder';

const USAGE = 'npm run start:func -- [--host-port <port>] [--state <folder>] [--port-base <first port>]';
const GRACE_MS = 10_000;

const onWindows = process.platform === 'win32';

function isOnPath(command: string): boolean {
  const endings = onWindows ? (process.env['PATHEXT'] ?? '.EXE;.CMD').split(';') : [''];
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((folder) => endings.some((ending) => existsSync(join(folder, command + ending))));
}

/** Runs `func start` until it ends or `signal` aborts; resolves with its exit code. */
function runFunc(port: number, settings: Record<string, string>, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('func', ['start', '--port', String(port)], {
      cwd: root,
      env: { ...process.env, ...settings },
      stdio: 'inherit',
      // npm installs it as func.cmd there.
      shell: onWindows,
      detached: !onWindows,
    });
    // Core Tools starts the host and the worker as processes of their own: the whole group is meant.
    const send = (what: NodeJS.Signals): void => {
      if (child.pid === undefined) return;
      try {
        if (onWindows) child.kill(what);
        else process.kill(-child.pid, what);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    };
    let timer: NodeJS.Timeout | undefined;
    signal.addEventListener('abort', () => {
      send('SIGINT');
      timer = setTimeout(() => send('SIGKILL'), GRACE_MS);
    });
    child.once('error', reject);
    child.once('exit', (code, ended) => {
      clearTimeout(timer);
      resolve(code ?? 128 + (ended === null ? 0 : constants.signals[ended]));
    });
  });
}

let state = emulatorsState;

async function startFunc(signal: AbortSignal): Promise<number> {
  const options = readOptions(
    {
      'host-port': { type: 'string', default: '7071' },
      'port-base': { type: 'string' },
      state: { type: 'string' },
    },
    USAGE,
  );
  if (!isOnPath('func')) {
    throw new StackProblem(
      'Azure Functions Core Tools (func) is not on the PATH: install version 4 of it, or use npm start, which needs nothing else.',
    );
  }
  state = options.state ?? state;
  const hostPort = readPort('host-port', options['host-port']);
  const stack = await startEmulators({ state, ports: readPorts(options['port-base']), hostPort, signal });
  try {
    console.log(`The emulators run; the start page is ${stack.urls.frontDoor}/. Starting func …`);
    const code = await runFunc(hostPort, stack.settings, signal);
    return signal.aborted ? 0 : code;
  } finally {
    await stack.stop();
  }
}

runCommand(startFunc, () => state);

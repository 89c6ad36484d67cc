// `npm run host`: only the Functions host, for any app folder. The app's settings are this process's environment.
import { join, resolve } from 'node:path';
import { openClock } from '../clock/clock';
import { startChild } from '../stack/child';
import { aborted, defaultState, readOptions, readPort, runCommand } from '../stack/command';
import { built } from '../stack/paths';
import { StackProblem, openStateFolder } from '../stack/state-folder';

const USAGE = `npm run host -- --app <folder> [--port <port>] [--rpc-port <port>] [--state <folder>]

  --app <folder>      the app: a folder with host.json, package.json, and the compiled file that "main" there names;
                      "--app ." is Gatehouse itself, which needs the settings that npm run emulators writes
  --port <port>       where its HTTP functions are served, on 127.0.0.1   [7071]
  --rpc-port <port>   where its durable client calls   [17071, or another where that is taken]
  --state <folder>    where its orchestrations, timers and keys are kept   [.gatehouse/host-alone]

The app's settings are this command's environment (NAME=value npm run host -- …) and "Values" of its local.settings.json. Its packages are
found from its own folder upwards, and in the folders that NODE_PATH names.`;

let state = join(defaultState, 'host-alone');

async function host(signal: AbortSignal): Promise<number> {
  const options = readOptions(
    {
      app: { type: 'string' },
      port: { type: 'string', default: '7071' },
      'rpc-port': { type: 'string' },
      state: { type: 'string' },
    },
    USAGE,
  );
  state = options.state ?? state;
  if (options.app === undefined) throw new StackProblem(`--app is missing.\nUsage: ${USAGE}`);
  const port = readPort('port', options.port);
  const folder = await openStateFolder({ path: state });
  const clock = openClock(folder.file('clock'));
  const child = startChild({
    name: 'The host',
    script: built('host/main.js'),
    args: [
      ...['--app', resolve(options.app), '--port', String(port), '--state', folder.path],
      ...(options['rpc-port'] === undefined ? [] : ['--rpc-port', String(readPort('rpc-port', options['rpc-port']))]),
    ],
    env: { ...process.env, LOCAL_CLOCK_FILE: clock.file },
    readyLine: /^ready http/,
    onLine: (line) => console.log(line),
  });
  folder.record([child.pid]);
  const exit = await Promise.race([child.exited, aborted(signal).then(() => child.stop())]);
  folder.release();
  return signal.aborted ? 0 : (exit.code ?? 1);
}

runCommand(host, () => state);

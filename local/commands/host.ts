// `npm run host`: only the Functions host, for any app folder. The app's settings are this process's environment.
import { join, resolve } from 'node:path';
import { openClock } from '../clock/clock';
import { startChild } from '../stack/child';
import { aborted, defaultState, readOptions, readPort, runCommand } from '../stack/command';
import { built, root } from '../stack/paths';
import { openStateFolder } from '../stack/state-folder';

const USAGE = 'npm run host -- [--app <folder>] [--port <port>] [--rpc-port <port>] [--state <folder>]';

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
  const port = readPort('port', options.port);
  const folder = await openStateFolder({ path: state });
  const clock = openClock(folder.file('clock'));
  const child = startChild({
    name: 'The host',
    script: built('host/main.js'),
    args: [
      ...['--app', resolve(options.app ?? root), '--port', String(port), '--state', folder.path],
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

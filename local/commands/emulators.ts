// `npm run emulators`: everything but the host, and the settings for a real one.
import { aborted, readOptions, readPort, readPorts, runCommand } from '../stack/command';
import { emulatorsState, startEmulators } from '../stack/emulators';
import { probeEnvFile, writeEnvFile } from '../stack/env-file';
import { StackProblem } from '../stack/state-folder';

const USAGE =
  'npm run emulators -- --env-file <file> [--host-port <port>] [--state <folder>] [--port-base <first port>]';

let state = emulatorsState;

async function emulators(signal: AbortSignal): Promise<number> {
  const options = readOptions(
    {
      'env-file': { type: 'string' },
      'host-port': { type: 'string', default: '7071' },
      'port-base': { type: 'string' },
      state: { type: 'string' },
    },
    USAGE,
  );
  const file = options['env-file'];
  if (file === undefined) throw new StackProblem(`--env-file is missing.\nUsage: ${USAGE}`);
  state = options.state ?? state;
  const hostPort = readPort('host-port', options['host-port']);
  probeEnvFile(file);
  const stack = await startEmulators({ state, ports: readPorts(options['port-base']), hostPort, signal });
  try {
    writeEnvFile(file, stack.settings);
    console.log('ready');
    await aborted(signal);
  } finally {
    await stack.stop();
  }
  return 0;
}

runCommand(emulators, () => state);

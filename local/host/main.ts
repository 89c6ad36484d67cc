import { parseArgs } from 'node:util';
import { startHost } from './host';
import { HostFailure, messageOf, stackOf } from './host-failure';

const DEFAULT_STATE = '.functions-host';

const HELP = `Runs an Azure Functions app (Node, programming model v4) with durable functions on this machine.

  --app <folder>     the app: a folder with host.json, package.json and what its "main" names   [.]
  --port <number>    where HTTP functions are served, on 127.0.0.1; 0 takes any free port       [7071]
  --state <folder>   where orchestrations, timers and keys are kept                             [${DEFAULT_STATE}]
  --rpc-port <number> where the durable client calls; another is taken when it is not free      [17071]
  --rpc-base <url>   what the durable client calls instead, where something stands before that port
  --help             this text

The host's keys are in host-keys.json of the state folder.
`;

function port(text: string, option: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new HostFailure(`--${option} must be a port number, not '${text}'.`);
}

function readOptions():
  { app: string; port: number; state: string; rpcPort: number | undefined; rpcBase: string | undefined } | undefined {
  const { values } = parseArgs({
    options: {
      app: { type: 'string', default: '.' },
      port: { type: 'string', default: '7071' },
      state: { type: 'string', default: DEFAULT_STATE },
      'rpc-port': { type: 'string' },
      'rpc-base': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const rpc = values['rpc-port'];
  return {
    app: values.app,
    port: port(values.port, 'port'),
    state: values.state,
    rpcPort: rpc === undefined ? undefined : port(rpc, 'rpc-port'),
    rpcBase: values['rpc-base'],
  };
}

function die(message: string): never {
  process.stderr.write(`${message.replace(/\s*\n\s*/g, ' ')}\n`);
  process.exit(1);
}

/** What the app throws where no invocation catches it ends the process, as it ends the worker. */
function dieOnStrayErrors(): void {
  const stray = (kind: string) => (error: unknown) => die(`${kind} outside any invocation: ${stackOf(error)}`);
  process.on('uncaughtException', stray('Uncaught exception'));
  process.on('unhandledRejection', stray('Unhandled rejection'));
}

async function main(): Promise<void> {
  const options = readOptions();
  if (!options) {
    process.stdout.write(HELP);
    return;
  }
  dieOnStrayErrors();
  const host = await startHost({
    appFolder: options.app,
    stateFolder: options.state,
    port: options.port,
    rpcPort: options.rpcPort,
    rpcBase: options.rpcBase,
    onFailure: (failure) => die(failure.message),
  });
  const stop = (): void => {
    host.close().then(
      () => process.exit(0),
      (error: unknown) => die(`The host did not stop cleanly: ${messageOf(error)}`),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  for (const { name, where } of host.functions) process.stdout.write(`  ${name}: ${where}\n`);
  process.stdout.write(`ready http://localhost:${host.port} pid ${process.pid}\n`);
}

main().catch((error: unknown) => die(messageOf(error)));

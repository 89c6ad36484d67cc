import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { LoadedApp } from './app-loader';
import { loadApp } from './app-loader';
import { clientBinding } from './durable/client-binding';
import { durableFunctions } from './durable/durable-functions';
import { DurableEngine } from './durable/engine';
import { ManagementApi } from './durable/management-api';
import type { ManagementEndpoint } from './durable/management-urls';
import { Orchestrations } from './durable/orchestrations';
import { DurableStore } from './durable/store';
import { Entrance } from './entrance';
import type { RegisteredFunction, TypedData } from './functions-core';
import type { AppConfig } from './host-config';
import { applyLocalSettings, readAppConfig } from './host-config';
import { HostFailure, messageOf } from './host-failure';
import { createHttpFunctions } from './http-functions';
import { byPrecedence, createRoute } from './http-routes';
import type { Route } from './http-routes';
import type { Invoker } from './invocation';
import { createInvoker } from './invocation';
import { loadKeys } from './keys';
import type { Listener } from './listeners';
import { listen } from './listeners';
import type { Log } from './log';
import { createLog } from './log';
import type { Handler } from './request-handlers';
import { createMainHandler, createRpcHandler, WEBHOOKS } from './request-handlers';
import { fatalStateError, openState } from './state-folder';
import { streamUriOf } from './stream-server';
import { Timers } from './timers';

/** How a host is started. */
export interface HostOptions {
  appFolder: string;
  stateFolder: string;
  /** 0 for any free port. */
  port: number;
  /** Where the durable client calls; another port is taken when it is not free. 17071 when not given. */
  rpcPort?: number | undefined;
  /** What the durable client is given to call in that port's place, where something stands between: `http://host:port`. */
  rpcBase?: string | undefined;
  /** How long running invocations may go on after a stop, in milliseconds. */
  graceMs?: number;
  /** Called when the host can't go on, such as on a full disk. */
  onFailure?(failure: HostFailure): void;
}

/** A host that runs. */
export interface RunningHost {
  port: number;
  rpcPort: number;
  /** The app's functions, each with where it is reached or what starts it. */
  functions: { name: string; where: string }[];
  /** Takes nothing new, lets what runs finish, runs the app's appTerminate hooks. */
  close(): Promise<void>;
}

const DEFAULT_RPC_PORT = 17_071;
const DEFAULT_GRACE_MS = 10_000;
const RUNNABLE: ReadonlySet<string> = new Set([
  'httpTrigger',
  'timerTrigger',
  'orchestrationTrigger',
  'activityTrigger',
  'entityTrigger',
  'warmupTrigger',
]);

function setEnvironment(port: number): void {
  process.env['WEBSITE_HOSTNAME'] = `localhost:${port}`;
  process.env['FUNCTIONS_WORKER_RUNTIME'] = 'node';
  process.env['AZURE_FUNCTIONS_ENVIRONMENT'] ??= 'Development';
  // The durable client calls this process; a proxy would only be in the way.
  for (const name of ['NO_PROXY', 'no_proxy']) {
    process.env[name] = [process.env[name], '127.0.0.1', 'localhost'].filter(Boolean).join(',');
  }
}

function httpRoutes(functions: readonly RegisteredFunction[], routePrefix: string): Route[] {
  const routes = functions.map((fn) => {
    try {
      return createRoute(fn, routePrefix);
    } catch (error) {
      throw new HostFailure(`The route of ${fn.name} can't be used: ${messageOf(error)}`);
    }
  });
  return routes.sort(byPrecedence);
}

/** Functions of the app that have a trigger this host doesn't know are named, so that nobody waits for them. */
function warnOfIdleFunctions(functions: readonly RegisteredFunction[], log: Log): void {
  for (const { name, trigger } of functions) {
    if (RUNNABLE.has(trigger.type)) continue;
    log('warning', 'Host.Startup', `${name} never runs here: this host has no ${trigger.type}.`);
  }
}

/** Switched off by the app setting `AzureWebJobs.<name>.Disabled`: a timer does not run, an HTTP function has no route. */
const isDisabled = ({ name }: RegisteredFunction): boolean =>
  /^(1|true)$/i.test(process.env[`AzureWebJobs.${name}.Disabled`] ?? '');

/** The values of inputs beside the trigger; the durable client is the only kind there is. */
function extraInputsWith(client: TypedData): (fn: RegisteredFunction) => { name: string; data: TypedData }[] {
  return (fn) =>
    Object.entries(fn.metadata.bindings)
      .filter(([, { type }]) => type === 'durableClient' || type === 'orchestrationClient')
      .map(([name]) => ({ name, data: client }));
}

/** An app that has been loaded, with everything that runs it; nothing has been set going. */
interface Assembly {
  app: LoadedApp;
  functions: RegisteredFunction[];
  invoker: Invoker;
  engine: DurableEngine;
  timers: Timers;
  routes: Route[];
  handle: Handler;
  handleRpc: Handler;
}

interface Surroundings {
  config: AppConfig;
  log: Log;
  database: DatabaseSync;
  stateFolder: string;
  port: number;
  rpcBase: string;
  onFailure: (error: unknown) => void;
}

async function assemble(app: LoadedApp, around: Surroundings): Promise<Assembly> {
  const { config, log, database, port } = around;
  const functions = [...app.registrations.functions.values()];
  const triggeredBy = (type: string): RegisteredFunction[] => functions.filter((fn) => fn.trigger.type === type);
  const invoker = createInvoker(app.registrations, log);
  const keys = loadKeys(
    around.stateFolder,
    triggeredBy('httpTrigger').map((fn) => fn.name),
  );

  const baseUrl = `http://localhost:${port}${WEBHOOKS}`;
  const hub: ManagementEndpoint = { baseUrl, taskHub: config.durable.hubName, key: keys.durableTask };
  const extraInputs = extraInputsWith({ string: clientBinding(hub, `${around.rpcBase}/durabletask/`) });

  const store = new DurableStore(database);
  const engine = new DurableEngine({
    store,
    functions: durableFunctions(app.registrations),
    invoker,
    config: config.durable,
    log,
    onFailure: around.onFailure,
  });
  const api = new ManagementApi(new Orchestrations(store, engine, config.durable), hub);
  const running = (type: string): RegisteredFunction[] => triggeredBy(type).filter((fn) => !isDisabled(fn));
  const timers = new Timers({ database, functions: running('timerTrigger'), invoker, log, extraInputs });
  const routes = httpRoutes(running('httpTrigger'), config.http.routePrefix);
  const streamUri = await streamUriOf(app.registrations.programmingModel());
  const httpFunctions = createHttpFunctions({
    routes,
    config: config.http,
    keys,
    invoker,
    log,
    extraInputs,
    streamUri,
  });
  warnOfIdleFunctions(functions, log);
  return {
    app,
    functions,
    invoker,
    engine,
    timers,
    routes,
    handle: createMainHandler({ api, keys, httpFunctions, admin: { functions, invoker, log, extraInputs } }),
    handleRpc: createRpcHandler(api),
  };
}

/** Runs an app folder in this process until it is closed. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const appFolder = resolve(options.appFolder);
  const stateFolder = resolve(options.stateFolder);
  applyLocalSettings(appFolder);
  const config = readAppConfig(appFolder);
  const log = createLog(config.logLevel);
  const onFailure = (error: unknown): void => {
    const failure = error instanceof HostFailure ? error : fatalStateError(error);
    if (failure) options.onFailure?.(failure);
  };

  const opened: (() => unknown)[] = [];
  try {
    // The app is told its port when it is loaded, so the ports come first; who calls before that is asked to wait.
    const main = await listen(new Entrance(log, onFailure), options.port);
    opened.push(() => main.close(0));
    const rpc = await listen(new Entrance(log, onFailure), options.rpcPort ?? DEFAULT_RPC_PORT, true);
    opened.push(() => rpc.close(0));
    const database = openState(stateFolder);
    opened.push(() => database.close());
    setEnvironment(main.port);
    const app = await loadApp(config, log);
    opened.push(() => app.unload());
    const rpcBase = options.rpcBase ?? `http://127.0.0.1:${rpc.port}`;
    const around = { config, log, database, stateFolder, port: main.port, rpcBase, onFailure };
    const assembly = await assemble(app, around);
    return await open(assembly, { main, rpc, database, graceMs: options.graceMs ?? DEFAULT_GRACE_MS });
  } catch (error) {
    for (const close of opened.reverse()) await close();
    throw error;
  }
}

interface Openings {
  main: Listener;
  rpc: Listener;
  database: DatabaseSync;
  graceMs: number;
}

/** Lets requests in and sets orchestrations and timers going. */
async function open(assembly: Assembly, { main, rpc, database, graceMs }: Openings): Promise<RunningHost> {
  const { app, engine, timers, invoker, functions, routes } = assembly;
  const hookContext = (): object => ({ hookData: {}, appHookData: app.registrations.appHookData });
  await app.registrations.runHooks('appStart', hookContext());
  rpc.entrance.admitTo(assembly.handleRpc);
  main.entrance.admitTo(assembly.handle);
  engine.start();
  timers.start();

  const close = async (): Promise<void> => {
    timers.stop();
    engine.stop();
    await Promise.all([main.close(graceMs), invoker.idle(graceMs)]);
    // The functions that still ran may have called the durable client until now.
    await rpc.close(0);
    await app.registrations.runHooks('appTerminate', hookContext());
    app.unload();
    database.close();
  };
  let closing: Promise<void> | undefined;
  return {
    port: main.port,
    rpcPort: rpc.port,
    functions: functions.map((fn) => ({ name: fn.name, where: whereabouts(fn, routes, main.port) })),
    close: () => (closing ??= close()),
  };
}

function whereabouts(fn: RegisteredFunction, routes: readonly Route[], port: number): string {
  const route = routes.find((candidate) => candidate.fn === fn);
  if (route) return `[${route.methods.join(',')}] http://localhost:${port}/${route.template}`;
  return fn.trigger.type === 'timerTrigger' ? `timerTrigger ${String(fn.trigger['schedule'])}` : fn.trigger.type;
}

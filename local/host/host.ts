import type { IncomingMessage, ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { handleAdmin } from './admin-api';
import type { LoadedApp } from './app-loader';
import { loadApp } from './app-loader';
import { clientBinding } from './durable/client-binding';
import { durableFunctions } from './durable/durable-functions';
import { DurableEngine } from './durable/engine';
import type { ApiRequest } from './durable/management-api';
import { ManagementApi } from './durable/management-api';
import type { ManagementEndpoint } from './durable/management-urls';
import { Orchestrations } from './durable/orchestrations';
import { DurableStore } from './durable/store';
import type { RegisteredFunction, TypedData } from './functions-core';
import { applyLocalSettings, readAppConfig } from './host-config';
import { HostFailure, messageOf } from './host-failure';
import { createHttpFunctions } from './http-functions';
import { BodyTooLarge, keyOf, originOf, readBody, sendJson, sendStatus, urlOf } from './http-messages';
import { byPrecedence, createRoute } from './http-routes';
import type { Route } from './http-routes';
import { createInvoker } from './invocation';
import { loadKeys } from './keys';
import { listen } from './listeners';
import type { Log } from './log';
import { createLog } from './log';
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

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const DEFAULT_RPC_PORT = 17_071;
const DEFAULT_GRACE_MS = 10_000;
const WEBHOOKS = '/runtime/webhooks/durabletask';
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

function httpRoutes(app: LoadedApp, routePrefix: string): Route[] {
  const functions = [...app.registrations.functions.values()].filter((fn) => fn.trigger.type === 'httpTrigger');
  const routes = functions.map((fn) => {
    try {
      return createRoute(fn, routePrefix);
    } catch (error) {
      throw new HostFailure(`The route of ${fn.name} can't be used: ${messageOf(error)}`);
    }
  });
  return routes.sort(byPrecedence);
}

/** Runs an app folder in this process until it is closed. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const appFolder = resolve(options.appFolder);
  applyLocalSettings(appFolder);
  const config = readAppConfig(appFolder);
  const log = createLog(config.logLevel);

  let handle: Handler = async (_request, response) => Promise.resolve(sendStatus(response, 503));
  let handleRpc: Handler = handle;
  const guard = (handler: () => Handler) => (request: IncomingMessage, response: ServerResponse) =>
    void handler()(request, response).catch((error: unknown) => refuse(error, response, log, options));

  const cleanup: (() => unknown)[] = [];
  const undo = async (): Promise<void> => {
    for (const step of cleanup.reverse()) await step();
  };
  try {
    const main = await listen(
      guard(() => handle),
      options.port,
    );
    cleanup.push(() => main.close(0));
    const rpc = await listen(
      guard(() => handleRpc),
      options.rpcPort ?? DEFAULT_RPC_PORT,
      true,
    );
    cleanup.push(() => rpc.close(0));
    const stateFolder = resolve(options.stateFolder);
    const database = openState(stateFolder);
    cleanup.push(() => database.close());

    setEnvironment(main.port);
    const app = await loadApp(config, log);
    cleanup.push(() => app.unload());
    const functions = [...app.registrations.functions.values()];
    const invoker = createInvoker(app.registrations, log);
    const keys = loadKeys(
      stateFolder,
      functions.filter((fn) => fn.trigger.type === 'httpTrigger').map((fn) => fn.name),
    );

    const hub: ManagementEndpoint = {
      baseUrl: `http://localhost:${main.port}${WEBHOOKS}`,
      taskHub: config.durable.hubName,
      key: keys.durableTask,
    };
    const client: TypedData = { string: clientBinding(hub, `http://127.0.0.1:${rpc.port}/durabletask/`) };
    const extraInputs = (fn: RegisteredFunction): { name: string; data: TypedData }[] =>
      Object.entries(fn.metadata.bindings)
        .filter(([, binding]) => binding.type === 'durableClient' || binding.type === 'orchestrationClient')
        .map(([name]) => ({ name, data: client }));

    const store = new DurableStore(database);
    const engine = new DurableEngine({
      store,
      functions: durableFunctions(app.registrations),
      invoker,
      config: config.durable,
      log,
      onFailure: (error) => reportFailure(error, options),
    });
    const api = new ManagementApi(new Orchestrations(store, engine, config.durable), hub);
    const timers = new Timers({
      database,
      functions: functions.filter((fn) => fn.trigger.type === 'timerTrigger'),
      invoker,
      log,
      extraInputs,
    });
    const routes = httpRoutes(app, config.http.routePrefix);
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
    for (const fn of functions) {
      if (!RUNNABLE.has(fn.trigger.type))
        log('warning', 'Host.Startup', `${fn.name} never runs here: this host has no ${fn.trigger.type}.`);
    }

    await app.registrations.runHooks('appStart', { hookData: {}, appHookData: app.registrations.appHookData });

    handleRpc = async (request, response) => {
      const url = urlOf(request);
      const path = /^\/durabletask(\/.*)?$/i.exec(url.pathname);
      if (!path) return sendStatus(response, 404);
      return answerApi(api, request, response, url, path[1] ?? '/');
    };
    handle = async (request, response) => {
      const url = urlOf(request);
      if (url.pathname.toLowerCase().startsWith(`${WEBHOOKS}/`)) {
        if (!keys.isDurableTask(keyOf(request, url))) return sendStatus(response, 401);
        return answerApi(api, request, response, url, url.pathname.slice(WEBHOOKS.length));
      }
      if (url.pathname.startsWith('/admin/')) {
        if (!keys.isMaster(keyOf(request, url))) return sendStatus(response, 401);
        const body = (await readBody(request)).toString();
        const admin = handleAdmin(
          { functions, invoker, log, extraInputs },
          request.method ?? 'GET',
          url.pathname.slice('/admin'.length),
          body,
        );
        return admin.body === undefined
          ? sendStatus(response, admin.status)
          : sendJson(response, admin.status, admin.body);
      }
      return httpFunctions(request, response);
    };
    engine.start();
    timers.start();

    const graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      timers.stop();
      const closed = main.close(graceMs);
      await invoker.idle(graceMs);
      engine.stop();
      await Promise.all([closed, rpc.close(0), invoker.idle(graceMs)]);
      await app.registrations.runHooks('appTerminate', { hookData: {}, appHookData: app.registrations.appHookData });
      app.unload();
      database.close();
    };
    return {
      port: main.port,
      rpcPort: rpc.port,
      functions: functions.map((fn) => ({ name: fn.name, where: whereabouts(fn, routes, main.port) })),
      close: () => (closing ??= close()),
    };
  } catch (error) {
    await undo();
    throw error;
  }
}

function whereabouts(fn: RegisteredFunction, routes: readonly Route[], port: number): string {
  const route = routes.find((candidate) => candidate.fn === fn);
  if (route) return `[${route.methods.join(',')}] http://localhost:${port}/${route.template}`;
  return fn.trigger.type === 'timerTrigger' ? `timerTrigger ${String(fn.trigger['schedule'])}` : fn.trigger.type;
}

async function answerApi(
  api: ManagementApi,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  path: string,
): Promise<void> {
  const token = request.headers['x-ms-continuation-token'];
  const call: ApiRequest = {
    method: request.method ?? 'GET',
    path,
    query: url.searchParams,
    contentType: request.headers['content-type'],
    continuationToken: typeof token === 'string' ? token : undefined,
    body: (await readBody(request)).toString(),
    origin: originOf(request),
  };
  const { status, headers, body } = await api.handle(call);
  if (body !== undefined) return sendJson(response, status, body, headers);
  response.writeHead(status, { ...headers, 'content-length': '0' }).end();
}

function refuse(error: unknown, response: ServerResponse, log: Log, options: HostOptions): void {
  if (error instanceof BodyTooLarge) return sendStatus(response, 413);
  log('error', 'Host', error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (response.headersSent) response.destroy();
  else sendStatus(response, 500);
  reportFailure(error, options);
}

function reportFailure(error: unknown, options: HostOptions): void {
  const failure = error instanceof HostFailure ? error : fatalStateError(error);
  if (failure) options.onFailure?.(failure);
}

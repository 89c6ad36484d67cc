import type { Log, LogLevel } from './log';
import { parseLogLevel } from './log';

/** A value on its way between host and worker, as the worker protocol writes it. */
export interface TypedData {
  string?: string | null;
  json?: string | null;
  bytes?: Uint8Array | null;
  int?: number | null;
  double?: number | null;
  http?: HttpData | null;
}

/** A cookie of an HTTP response, as `@azure/functions` hands it over. */
export interface RpcCookie {
  name: string;
  value: string;
  domain?: { value: string };
  path?: { value: string };
  expires?: { value: { seconds: number } };
  secure?: { value: boolean };
  httpOnly?: { value: boolean };
  sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone';
  maxAge?: { value: number };
}

/** An HTTP request (to the worker) or response (from it). */
export interface HttpData {
  url?: string;
  method?: string;
  nullableHeaders?: Record<string, { value: string }>;
  nullableParams?: Record<string, { value: string }>;
  nullableQuery?: Record<string, { value: string }>;
  body?: TypedData | null;
  statusCode?: string;
  headers?: Record<string, string>;
  cookies?: RpcCookie[];
}

export interface Binding {
  type: string;
  direction: string;
  name?: string;
  [option: string]: unknown;
}

export interface InvocationRequest {
  invocationId: string;
  functionId: string;
  inputData: { name: string; data: TypedData | undefined }[];
  triggerMetadata?: Record<string, TypedData>;
  /** The invocation's place in a trace (W3C Trace Context). */
  traceContext?: { traceParent: string; traceState: string; attributes: Record<string, string> };
}

export interface InvocationResponse {
  returnValue?: TypedData | null;
}

type Callback = (...args: unknown[]) => unknown;

export interface CoreInvocation {
  invocationId: string;
  request: InvocationRequest;
  metadata: FunctionMetadata;
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: string, category: string, message: string): void;
}

/** One invocation in the hands of the programming model (`@azure/functions`). */
export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: Callback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}

/** What `@azure/functions` gives the core when the app first calls it. */
export interface ProgrammingModel {
  getInvocationModel(invocation: CoreInvocation): InvocationModel;
  getCapabilities?(capabilities: Record<string, string>): Promise<Record<string, string>>;
}

export interface FunctionMetadata {
  name: string;
  functionId?: string;
  bindings: Record<string, Binding>;
}

/** A function the app registered. */
export interface RegisteredFunction {
  id: string;
  name: string;
  metadata: FunctionMetadata;
  callback: Callback;
  /** The binding that starts it. */
  trigger: Binding & { key: string };
}

const HOOKS = ['preInvocation', 'postInvocation', 'appStart', 'appTerminate', 'log'] as const;
export type HookName = (typeof HOOKS)[number];
type Hook = (context: object) => unknown;

/** What the app registered with the core module. */
export interface Registrations {
  functions: ReadonlyMap<string, RegisteredFunction>;
  /** Data that hooks share with one another over the life of the app. */
  appHookData: Record<string, unknown>;
  programmingModel(): ProgrammingModel | undefined;
  /** Runs the hooks of a name one after another, each with the same context. */
  runHooks(name: HookName, context: object): Promise<void>;
  /** From now on registering a function is an error, as after start-up on the real host. */
  seal(): void;
}

/** The host's side of `@azure/functions-core`, the module through which `@azure/functions` reaches its host. */
export interface FunctionsCore {
  module: object;
  registrations: Registrations;
}

class Disposable {
  constructor(private readonly undo: () => void) {}
  dispose(): void {
    this.undo();
  }
}

function systemError(message: string, Type: new (message: string) => Error = Error): Error {
  return Object.assign(new Type(message), { isAzureFunctionsSystemError: true });
}

function isHookName(name: string): name is HookName {
  return HOOKS.some((known) => known === name);
}

function triggerOf(metadata: FunctionMetadata): Binding & { key: string } {
  const entry = Object.entries(metadata.bindings).find(([, binding]) => /trigger$/i.test(binding.type));
  if (!entry) throw systemError(`Function "${metadata.name}" has no trigger.`);
  return { ...entry[1], key: entry[0] };
}

/** Makes the core module and the view of what is registered with it. */
export function createFunctionsCore(log: Log): FunctionsCore {
  const functions = new Map<string, RegisteredFunction>();
  const hooks = new Map<HookName, Hook[]>(HOOKS.map((name) => [name, []]));
  let model: ProgrammingModel | undefined;
  let sealed = false;

  const module = {
    version: '3.13.0',
    hostVersion: '4.1037.0',
    Disposable,
    registerFunction(metadata: FunctionMetadata, callback: Callback): Disposable {
      if (sealed) throw systemError('A function can only be registered during app startup.');
      const id = metadata.functionId ?? metadata.name;
      if (functions.has(id)) throw systemError(`A function with id "${id}" has already been registered.`);
      functions.set(id, { id, name: metadata.name, metadata, callback, trigger: triggerOf(metadata) });
      return new Disposable(() => functions.delete(id));
    },
    registerHook(name: string, hook: Hook): Disposable {
      if (!isHookName(name)) throw systemError(`Unrecognized hook "${name}"`, RangeError);
      const list = hooks.get(name) ?? [];
      list.push(hook);
      return new Disposable(() => void list.splice(list.indexOf(hook), 1));
    },
    setProgrammingModel(chosen: ProgrammingModel): void {
      model = chosen;
    },
    getProgrammingModel: () => model,
    log(level: string, _category: string, message: string): void {
      log(levelOf(level), 'Worker', message);
    },
  };

  return {
    module,
    registrations: {
      functions,
      appHookData: {},
      programmingModel: () => model,
      async runHooks(name, context) {
        for (const hook of hooks.get(name) ?? []) await hook(context);
      },
      seal() {
        sealed = true;
      },
    },
  };
}

/** The protocol's word for a level as ours. */
export function levelOf(text: string): LogLevel {
  return parseLogLevel(text) ?? 'information';
}

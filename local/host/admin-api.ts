import type { RegisteredFunction, TypedData } from './functions-core';
import { stackOf } from './host-failure';
import { decodeSegment } from './http-messages';
import type { Invoker } from './invocation';
import type { Log } from './log';

/** An answer of the admin API. */
export interface AdminResponse {
  status: number;
  body?: unknown;
}

/** What the admin API needs from around it. */
export interface AdminContext {
  functions: readonly RegisteredFunction[];
  invoker: Invoker;
  log: Log;
  extraInputs: (fn: RegisteredFunction) => { name: string; data: TypedData }[];
}

/** The host's admin API, for who has the master key: its status, its functions, and running one by hand. */
export function handleAdmin(context: AdminContext, method: string, path: string, body: string): AdminResponse {
  const [area, name, ...more] = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeSegment);
  if (more.length > 0) return { status: 404 };
  if (area === 'host' && name === 'ping') return { status: 200 };
  if (area === 'host' && name === 'status' && method === 'GET')
    return { status: 200, body: { state: 'Running', processUptime: Math.round(process.uptime() * 1000) } };
  if (area !== 'functions') return { status: 404 };
  if (name === undefined)
    return method === 'GET' ? { status: 200, body: context.functions.map(describe) } : { status: 404 };
  const fn = context.functions.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
  if (!fn) return { status: 404 };
  if (method === 'GET') return { status: 200, body: describe(fn) };
  return method === 'POST' ? runByHand(context, fn, body) : { status: 404 };
}

function describe(fn: RegisteredFunction): object {
  return { name: fn.name, config: { bindings: Object.values(fn.metadata.bindings) } };
}

/** As on the real host the answer doesn't wait for the run, and an HTTP function is called by its route instead. */
function runByHand({ invoker, log, extraInputs }: AdminContext, fn: RegisteredFunction, body: string): AdminResponse {
  if (fn.trigger.type === 'httpTrigger') return { status: 400, body: { Message: `Call ${fn.name} by its route.` } };
  const input = inputOf(body);
  if (input === undefined) return { status: 400, body: { Message: 'The body must be JSON like {"input":""}.' } };
  const data: TypedData = fn.trigger.type === 'timerTrigger' ? { json: manualTimer() } : { string: input };
  void invoker
    .invoke(fn, { inputData: [{ name: fn.trigger.key, data }, ...extraInputs(fn)] })
    .catch((error: unknown) => {
      log('error', `Function.${fn.name}`, `Executed 'Functions.${fn.name}' (Failed): ${stackOf(error)}`);
    });
  return { status: 202 };
}

function inputOf(body: string): string | undefined {
  if (body.trim() === '') return '';
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const input: unknown = 'input' in parsed ? parsed.input : '';
    return typeof input === 'string' ? input : JSON.stringify(input);
  } catch {
    return undefined;
  }
}

function manualTimer(): string {
  const never = new Date(0).toISOString();
  return JSON.stringify({
    Schedule: { AdjustForDST: true },
    ScheduleStatus: { Last: never, Next: never, LastUpdated: never },
    IsPastDue: false,
  });
}

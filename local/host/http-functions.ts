import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { maxHeaderSize, request as httpRequest } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { RegisteredFunction, TypedData } from './functions-core';
import type { HttpConfig } from './host-config';
import { stackOf } from './host-failure';
import {
  BodyTooLarge,
  CallerGone,
  headersOf,
  keyOf,
  originOf,
  queryOf,
  readBody,
  sendHttpData,
  sendStatus,
  sendTooLarge,
  toHttpData,
  urlOf,
} from './http-messages';
import type { Route, RouteMatch } from './http-routes';
import { findRoute } from './http-routes';
import type { Invoker } from './invocation';
import type { Keys } from './keys';
import type { Log } from './log';
import { RequestGate } from './request-gate';
import { placeBelow } from './trace-context';
import type { TraceContext } from './trace-context';

/** What HTTP triggered functions need from around them. */
export interface HttpFunctionsContext {
  /** Ordered by precedence. */
  routes: readonly Route[];
  config: HttpConfig;
  keys: Keys;
  invoker: Invoker;
  log: Log;
  /** The values of a function's inputs beside its trigger. */
  extraInputs: (fn: RegisteredFunction) => { name: string; data: TypedData }[];
  /** Where `@azure/functions` takes streamed requests, when the app turned streaming on. */
  streamUri: string | undefined;
}

/** Answers requests to the app's HTTP functions. */
export function createHttpFunctions(
  context: HttpFunctionsContext,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const gate = new RequestGate(context.config.maxConcurrentRequests, context.config.maxOutstandingRequests);
  return async (request, response) => {
    const url = urlOf(request);
    for (const [name, value] of Object.entries(context.config.customHeaders)) response.setHeader(name, value);
    const match = findRoute(context.routes, request.method ?? 'GET', url.pathname);
    if (!match) return sendStatus(response, 404);
    const { authLevel } = match.fn.trigger;
    if (
      !context.keys.opens(keyOf(request, url), typeof authLevel === 'string' ? authLevel : 'anonymous', match.fn.name)
    )
      return sendStatus(response, 401);

    const turn = gate.enter();
    if (!turn) return sendStatus(response, 429);
    await turn;
    try {
      if (context.streamUri === undefined) await answer(context, match, url, request, response);
      else await answerStreaming(context, context.streamUri, match, url, request, response);
    } catch (error) {
      fail(context.log, match.fn, error, request, response);
    } finally {
      gate.leave();
    }
  };
}

function fail(
  log: Log,
  fn: RegisteredFunction,
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (error instanceof BodyTooLarge) return sendTooLarge(request, response);
  if (error instanceof CallerGone || (request.destroyed && !request.complete)) {
    log(
      'information',
      `Function.${fn.name}`,
      `The caller of ${fn.name} went away before it had sent its whole request.`,
    );
    response.destroy();
    return;
  }
  log('error', `Function.${fn.name}`, `Executed 'Functions.${fn.name}' (Failed): ${stackOf(error)}`);
  if (response.headersSent) response.destroy();
  else sendStatus(response, 500);
}

function traceContextOf({ headers }: IncomingMessage): TraceContext {
  const { traceparent, tracestate } = headers;
  const [parent, state] = [traceparent, tracestate].map((value) => (Array.isArray(value) ? value.join(',') : value));
  return placeBelow(parent, state);
}

async function answer(
  { invoker, extraInputs }: HttpFunctionsContext,
  { fn, params }: RouteMatch,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const http = toHttpData(request, url, params, await readBody(request));
  const result = await invoker.invoke(fn, {
    inputData: [{ name: fn.trigger.key, data: { http } }, ...extraInputs(fn)],
    traceContext: traceContextOf(request),
  });
  sendHttpData(response, result.returnValue?.http);
}

/**
 * With streaming on, bodies pass through the server that `@azure/functions` runs for that purpose; the invocation
 * itself carries only headers and parameters, and the two find each other by the invocation's id.
 */
async function answerStreaming(
  { invoker, extraInputs }: HttpFunctionsContext,
  streamUri: string,
  { fn, params }: RouteMatch,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const invocationId = randomUUID();
  const headers = {
    ...request.headers,
    'x-ms-invocation-id': invocationId,
    'x-forwarded-host': new URL(originOf(request)).host,
    'x-forwarded-proto': 'http',
  };
  // that server would cut it off, and the invocation wait for it for ever
  if (sizeOf(request.url ?? '/', headers) > maxHeaderSize) return sendStatus(response, 431);
  const forwarded = httpRequest(new URL(request.url ?? '/', streamUri), { method: request.method ?? 'GET', headers });
  const answered = once(forwarded, 'response').then(
    ([stream]: IncomingMessage[]) => stream && passOn(stream, response),
  );
  // The invocation's own failure is the one to report; without it this one surfaces below.
  answered.catch(() => undefined);
  pipeline(request, forwarded).catch(() => undefined);

  const triggerMetadata: Record<string, TypedData> = {
    ...Object.fromEntries(Object.entries(params).map(([name, value]) => [name, { string: value }])),
    Headers: { json: JSON.stringify(headersOf(request)) },
    Query: { json: JSON.stringify(queryOf(url)) },
  };
  try {
    const inputData = [{ name: fn.trigger.key, data: undefined }, ...extraInputs(fn)];
    const { result } = await invoker.invoke(fn, {
      invocationId,
      inputData,
      triggerMetadata,
      traceContext: traceContextOf(request),
    });
    if (result !== undefined && result !== null) return await answered;
  } catch (error) {
    forwarded.destroy();
    throw error;
  }
  forwarded.destroy();
  sendHttpData(response, undefined);
}

/** Bytes of the head of a request, or a few more. */
function sizeOf(url: string, headers: IncomingHttpHeaders): number {
  const line = 'OPTIONS  HTTP/1.1'.length + url.length;
  return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + String(value).length + 4, line);
}

async function passOn(stream: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(stream.headers)) {
    if (value !== undefined && name !== 'connection' && name !== 'transfer-encoding' && name !== 'keep-alive')
      response.setHeader(name, value);
  }
  response.statusCode = stream.statusCode ?? 200;
  response.flushHeaders();
  await pipeline(stream, response);
}

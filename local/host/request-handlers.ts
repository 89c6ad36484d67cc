import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdminContext } from './admin-api';
import { handleAdmin } from './admin-api';
import type { ApiRequest, ManagementApi } from './durable/management-api';
import { keyOf, originOf, readBody, sendJson, sendStatus, urlOf } from './http-messages';
import type { Keys } from './keys';

/** Answers a request; a rejection becomes a 500. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Where the durable extension's webhooks are, on the host's own port. */
export const WEBHOOKS = '/runtime/webhooks/durabletask';

/** What is reached through the host's port. */
export interface MainHandlerContext {
  api: ManagementApi;
  keys: Keys;
  httpFunctions: Handler;
  admin: AdminContext;
}

/** Answers what comes to the host's port: webhooks and admin calls with their keys, HTTP functions with theirs. */
export function createMainHandler({ api, keys, httpFunctions, admin }: MainHandlerContext): Handler {
  return (request, response) => {
    const url = urlOf(request);
    const path = url.pathname.toLowerCase();
    if (path.startsWith(`${WEBHOOKS}/`)) {
      if (!keys.isDurableTask(keyOf(request, url))) return refuse(response);
      return answerApi(api, request, response, url, url.pathname.slice(WEBHOOKS.length));
    }
    if (path.startsWith('/admin/')) {
      if (!keys.isMaster(keyOf(request, url))) return refuse(response);
      return answerAdmin(admin, request, response, url.pathname.slice('/admin'.length));
    }
    return httpFunctions(request, response);
  };
}

/** Answers the durable client, which calls `/durabletask/…` on a port of its own and needs no key. */
export function createRpcHandler(api: ManagementApi): Handler {
  return async (request, response) => {
    const url = urlOf(request);
    const path = /^\/durabletask(\/.*)?$/i.exec(url.pathname);
    if (!path) return sendStatus(response, 404);
    return answerApi(api, request, response, url, path[1] ?? '/');
  };
}

function refuse(response: ServerResponse): Promise<void> {
  sendStatus(response, 401);
  return Promise.resolve();
}

async function answerAdmin(
  context: AdminContext,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const body = (await readBody(request)).toString();
  const answer = handleAdmin(context, request.method ?? 'GET', path, body);
  if (answer.body === undefined) sendStatus(response, answer.status);
  else sendJson(response, answer.status, answer.body);
}

async function answerApi(
  api: ManagementApi,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  path: string,
): Promise<void> {
  const token = request.headers['x-ms-continuation-token'];
  const { traceparent } = request.headers;
  const call: ApiRequest = {
    method: request.method ?? 'GET',
    path,
    query: url.searchParams,
    contentType: request.headers['content-type'],
    continuationToken: typeof token === 'string' ? token : undefined,
    traceParent: typeof traceparent === 'string' ? traceparent : undefined,
    body: (await readBody(request)).toString(),
    origin: originOf(request),
  };
  const { status, headers, body } = await api.handle(call);
  if (body !== undefined) sendJson(response, status, body, headers);
  else response.writeHead(status, { ...headers, 'content-length': '0' }).end();
}

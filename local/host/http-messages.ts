import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import type { HttpData, RpcCookie } from './functions-core';

/** The real host's limit on a request body, in bytes. */
export const MAX_BODY_BYTES = 104_857_600;

/** How long a caller may go on sending what is not wanted, in milliseconds; Kestrel's own limit. */
const DRAIN_MS = 5_000;

/** A body that is larger than allowed. */
export class BodyTooLarge extends Error {}

/** The caller went away before it had sent its whole body. */
export class CallerGone extends Error {}

/** Reads a body into memory, up to a limit. */
export async function readBody(request: IncomingMessage, limit = MAX_BODY_BYTES): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new BodyTooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // The connection stays open where reading stops early: the answer goes over it.
  const arriving = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  try {
    for await (const chunk of arriving) {
      size += chunk.length;
      if (size > limit) throw new BodyTooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    throw request.complete || error instanceof BodyTooLarge ? error : new CallerGone();
  }
  return Buffer.concat(chunks, size);
}

/**
 * Answers 413 and then reads on for a while before it closes, as Kestrel does: to close a connection with unread bytes is to reset it,
 * and a caller that still sends would never see the answer.
 */
export function sendTooLarge(request: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(413, { 'content-length': '0', connection: 'close' }).flushHeaders();
  const limit = setTimeout(() => response.end(), DRAIN_MS);
  finished(request, () => {
    clearTimeout(limit);
    response.end();
  });
  request.resume();
}

/** `http://host` as the caller wrote it. */
export function originOf(request: IncomingMessage): string {
  return `http://${request.headers.host ?? 'localhost'}`;
}

/** A request's path and query, whatever form its target has. */
export function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'http://host');
}

/** A path segment without its escapes; one that is malformed stays as it is. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The key that a caller shows: `x-functions-key` or `?code=`. */
export function keyOf(request: IncomingMessage, url: URL): string | undefined {
  const header = request.headers['x-functions-key'];
  return (typeof header === 'string' ? header : undefined) ?? url.searchParams.get('code') ?? undefined;
}

type Nullable = Record<string, { value: string }>;

/** Headers as the host hands them to the worker: lower case, repeated ones joined. */
export function headersOf(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  );
  return Object.fromEntries(entries);
}

/** A query as the host hands it to the worker: what is repeated is joined by commas. */
export function queryOf(url: URL): Record<string, string> {
  const query: Record<string, string> = {};
  for (const name of new Set(url.searchParams.keys())) query[name] = url.searchParams.getAll(name).join(',');
  return query;
}

function nullable(values: Readonly<Record<string, string>>): Nullable {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}

/** A request as the worker protocol carries it. */
export function toHttpData(request: IncomingMessage, url: URL, params: Record<string, string>, body: Buffer): HttpData {
  return {
    url: originOf(request) + (request.url ?? '/'),
    method: request.method ?? 'GET',
    nullableHeaders: nullable(headersOf(request)),
    nullableParams: nullable(params),
    nullableQuery: nullable(queryOf(url)),
    ...(body.length > 0 && { body: { bytes: body } }),
  };
}

/** A cookie as ASP.NET writes it. */
export function serializeCookie(cookie: RpcCookie): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  if (cookie.expires) parts.push(`expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`);
  if (cookie.maxAge) parts.push(`max-age=${Math.floor(cookie.maxAge.value)}`);
  if (cookie.domain) parts.push(`domain=${cookie.domain.value}`);
  parts.push(`path=${cookie.path?.value ?? '/'}`);
  if (cookie.secure?.value) parts.push('secure');
  if (cookie.sameSite === 'lax' || cookie.sameSite === 'strict') parts.push(`samesite=${cookie.sameSite}`);
  if (cookie.sameSite === 'explicitNone') parts.push('samesite=none');
  if (cookie.httpOnly?.value) parts.push('httponly');
  return parts.join('; ');
}

const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length']);

/** Writes a function's response. */
export function sendHttpData(response: ServerResponse, data: HttpData | null | undefined): void {
  if (!data) {
    response.writeHead(204).end();
    return;
  }
  for (const [name, value] of Object.entries(data.headers ?? {}))
    if (!HOP_BY_HOP.has(name)) response.setHeader(name, value);
  const cookies = (data.cookies ?? []).map(serializeCookie);
  if (cookies.length > 0) {
    const set = response.getHeader('set-cookie');
    response.setHeader('set-cookie', [...(set === undefined ? [] : [String(set)].flat()), ...cookies]);
  }
  const body = data.body?.bytes ?? (typeof data.body?.string === 'string' ? Buffer.from(data.body.string) : undefined);
  response.statusCode = Number(data.statusCode ?? 200);
  if (body) response.setHeader('content-length', body.length);
  response.end(body);
}

/** Answers without a body. */
export function sendStatus(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': '0' }).end();
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = Buffer.from(JSON.stringify(body));
  response
    .writeHead(status, { ...headers, 'content-type': 'application/json; charset=utf-8', 'content-length': text.length })
    .end(text);
}

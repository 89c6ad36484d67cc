import { Agent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { HOP_BY_HOP } from '../hop-by-hop';
import { isReserved } from './principal';

export interface ProxyOptions {
  /** The Functions host, `http://127.0.0.1:7071`. */
  upstream: string;
  /** The site's public address. */
  base: string;
  /** Set by the front door alone. */
  trusted: Record<string, string>;
  /** Told of the host's answer as soon as its headers are there. */
  onAnswer?: (answer: IncomingMessage) => void;
}

type Headers = NodeJS.Dict<string[]>;

const CONNECTION_ONLY = new Set(HOP_BY_HOP);

/** What App Service says about the caller; from outside these are worth nothing. */
const PLATFORM = new Set([
  'disguised-host',
  'x-client-ip',
  'x-client-port',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-original-host',
  'x-original-url',
]);

const agent = new Agent({ keepAlive: true });

/** End-to-end headers: without hop-by-hop ones, and without those that `Connection` names. */
function endToEnd(headers: Headers): [string, string[]][] {
  const named = (headers['connection'] ?? [])
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase());
  return Object.entries(headers).flatMap(([name, values]): [string, string[]][] =>
    values === undefined || CONNECTION_ONLY.has(name) || named.includes(name) ? [] : [[name, values]],
  );
}

function forwardedFor(incoming: IncomingMessage): string {
  const client = `${incoming.socket.remoteAddress ?? ''}:${String(incoming.socket.remotePort ?? '')}`;
  return [...(incoming.headersDistinct['x-forwarded-for'] ?? []), client].join(', ');
}

function requestHeaders(incoming: IncomingMessage, options: ProxyOptions): OutgoingHttpHeaders {
  const base = new URL(options.base);
  const host = incoming.headers.host ?? base.host;
  const passed = endToEnd(incoming.headersDistinct).filter(([name]) => !isReserved(name) && !PLATFORM.has(name));
  return {
    ...Object.fromEntries(passed),
    // Several cookie headers are one list (RFC 9113, 8.2.3).
    ...(incoming.headers.cookie === undefined ? {} : { cookie: incoming.headers.cookie }),
    ...(incoming.headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' }),
    host,
    'disguised-host': host,
    'x-client-ip': incoming.socket.remoteAddress ?? '',
    'x-client-port': String(incoming.socket.remotePort ?? ''),
    'x-forwarded-for': forwardedFor(incoming),
    'x-forwarded-host': host,
    'x-forwarded-proto': base.protocol.replace(':', ''),
    'x-original-host': host,
    'x-original-url': incoming.url ?? '/',
    ...options.trusted,
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  return headers['content-length'] !== undefined && headers['content-length'] !== '0';
}

/** Writes the host's answer to the caller as it comes. */
function relay(answer: IncomingMessage, outgoing: ServerResponse): void {
  const headers = Object.fromEntries(endToEnd(answer.headersDistinct));
  outgoing.sendDate = false;
  outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  outgoing.flushHeaders();
  // A broken answer must break here as well, or the client would take what it has for the whole.
  pipeline(answer, outgoing, (error) => {
    if (error) outgoing.destroy();
  });
}

/** An answer to HEAD: nothing but headers. */
function headOf(answer: IncomingMessage): Response {
  answer.resume();
  const headers = endToEnd(answer.headersDistinct).flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return new Response(null, { status: answer.statusCode ?? 502, headers });
}

function unreachable(upstream: string): Response {
  const sentence = `The Functions host at ${upstream} can't be reached: it is not running, or it is starting. Try again in a moment.\n`;
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
  return new Response(sentence, { status: 502, headers });
}

/** Passes a request on to the host and its answer back, both as streams; settles when the answer has ended. */
export function proxy(incoming: IncomingMessage, outgoing: ServerResponse, options: ProxyOptions): Promise<Response> {
  const headers = requestHeaders(incoming, options);
  const body = hasBody(incoming);
  const { hostname, port } = new URL(options.upstream);

  return new Promise((done) => {
    let current: ClientRequest | undefined;

    // The host may answer and close before it has the whole body, one that is too large say. The rest is read and dropped: a
    // connection that is closed with unread bytes is reset, and the caller could lose the answer.
    const stopSending = (upstream: ClientRequest): void => {
      incoming.unpipe(upstream);
      incoming.resume();
    };

    const send = (mayRepeat: boolean): void => {
      const target = { hostname, port, method: incoming.method, path: incoming.url, headers };
      // A kept connection may be closed under us; a request with a body could not be sent again.
      const upstream = httpRequest({ ...target, agent: body ? false : agent });
      current = upstream;
      upstream.on('response', (answer) => {
        options.onAnswer?.(answer);
        // Hono makes a response of its own for HEAD, so there one can't have been sent already.
        if (incoming.method === 'HEAD') done(headOf(answer));
        else relay(answer, outgoing);
      });
      upstream.on('error', () => {
        stopSending(upstream);
        if (outgoing.headersSent) outgoing.destroy();
        else if (mayRepeat && upstream.reusedSocket) send(false);
        else done(unreachable(options.upstream));
      });
      if (body) {
        incoming.pipe(upstream);
        upstream.once('close', () => stopSending(upstream));
      } else upstream.end();
    };

    outgoing.once('close', () => {
      if (!outgoing.writableFinished) current?.destroy();
      done(RESPONSE_ALREADY_SENT);
    });
    send(!body);
  });
}

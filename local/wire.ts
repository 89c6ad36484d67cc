import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { createFaults } from './faults';
import { HOP_BY_HOP } from './hop-by-hop';

/** A reverse proxy between the app and a service that records every call and can make any of them go wrong. */
export interface Wire {
  /** What the app is given in the service's place. */
  app: Hono<{ Bindings: HttpBindings }>;
  /** The admin calls of `faults.ts`. */
  admin: Hono;
  close(): void;
}

// The length is written anew for the whole body.
const NOT_PASSED = new Set([...HOP_BY_HOP, 'content-length']);

function pairs(raw: string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name, value] = [raw[index], raw[index + 1]];
    if (name !== undefined && value !== undefined && !NOT_PASSED.has(name.toLowerCase())) result.push([name, value]);
  }
  return result;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const hasNoBody = (method: string, status: number): boolean => method === 'HEAD' || status === 204 || status === 304;

/**
 * Calls go to the origin that `target` names at that moment, with path, body and headers as they came. `Host` stays that of
 * the wire, as behind any gateway: a service that builds links from it (OData URLs, next links) leads callers back here.
 */
export function createWire(options: { target: () => string; ca?: string }): Wire {
  const secure = new HttpsAgent({ keepAlive: true, ca: options.ca });
  const plain = new HttpAgent({ keepAlive: true });

  const send = (method: string, path: string, headers: [string, string][], body: Buffer): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const url = new URL(options.target());
      const https = url.protocol === 'https:';
      const head = https
        ? { protocol: 'https:', hostname: url.hostname, port: url.port, path, method, agent: secure, setHost: false }
        : { protocol: 'http:', hostname: url.hostname, port: url.port, path, method, agent: plain, setHost: false };
      const outgoing = https ? httpsRequest(head, resolve) : httpRequest(head, resolve);
      outgoing.once('error', reject);
      for (const [name, value] of headers) outgoing.appendHeader(name, value);
      if (body.length > 0 || !['GET', 'HEAD', 'DELETE'].includes(method))
        outgoing.setHeader('Content-Length', body.length);
      outgoing.end(body);
    });

  const { middleware, admin } = createFaults();
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(middleware);
  app.all('*', async (c) => {
    const { incoming } = c.env;
    try {
      const body = Buffer.from(await c.req.arrayBuffer());
      const answer = await send(c.req.method, incoming.url ?? '/', pairs(incoming.rawHeaders), body);
      const status = answer.statusCode ?? 502;
      const contents = await bodyOf(answer);
      return new Response(hasNoBody(c.req.method, status) ? null : new Uint8Array(contents), {
        status,
        headers: pairs(answer.rawHeaders),
      });
    } catch {
      // The service is not there, or dropped the call: so the caller finds it, as without the wire.
      incoming.socket.destroy();
      return new Response(null, { status: 599 });
    }
  });
  return {
    app,
    admin,
    close: () => {
      secure.destroy();
      plain.destroy();
    },
  };
}

import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import type { Tls } from './tls';

/** What answers calls: any Hono app. */
export interface Answering {
  fetch(request: Request, env: HttpBindings): Response | Promise<Response>;
}

/** A Hono app that listens on 127.0.0.1. */
export interface Listener {
  readonly port: number;
  /** Closes it, open connections included. */
  close(): Promise<void>;
}

// A client that reuses a connection just as the server lets go of it sees a reset; longer than the SDKs keep theirs is safe.
export const KEEP_ALIVE_MS = 120_000;

/** Listens with `app` on 127.0.0.1:`port` (0: any free one), over TLS where `tls` is given. */
export async function listen(app: Answering, port: number, tls?: Pick<Tls, 'cert' | 'key'>): Promise<Listener> {
  const server = createAdaptorServer({
    // The adaptor's type allows for HTTP/2, which none of these servers speaks.
    fetch: (request, env) => app.fetch(request, env as HttpBindings),
    overrideGlobalObjects: false,
    ...(tls !== undefined && { createServer: createHttps, serverOptions: { cert: tls.cert, key: tls.key } }),
  });
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

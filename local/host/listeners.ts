import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { Entrance } from './entrance';
import { codeOf, HostFailure, messageOf } from './host-failure';

/** A server that listens. */
export interface Listener {
  port: number;
  entrance: Entrance;
  /** Takes no more connections; those that still answer get so many milliseconds. */
  close(withinMs: number): Promise<void>;
}

/** More than a front door lets in, and adds to it: what is too much for the app is answered, and not cut off. */
const MOST_HEADERS = 64 * 1_024;

async function listenOnce(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

/**
 * Listens on 127.0.0.1. A port that is taken is a failure, or, with `elseAnyFree`, another one is used.
 */
export async function listen(entrance: Entrance, port: number, elseAnyFree = false): Promise<Listener> {
  const server = createServer({ keepAliveTimeout: 65_000, maxHeaderSize: MOST_HEADERS }, (request, response) =>
    entrance.receive(request, response),
  );
  try {
    await listenOnce(server, port);
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE' && elseAnyFree) await listenOnce(server, 0);
    else if (codeOf(error) === 'EADDRINUSE')
      throw new HostFailure(`Port ${port} is taken; stop what uses it or name another with --port.`);
    else throw new HostFailure(`Port ${port} can't be used (${messageOf(error)}); name another with --port.`);
  }
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new HostFailure(`Port ${port} can't be used; name another with --port.`);
  return {
    port: address.port,
    entrance,
    async close(withinMs) {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const limit = setTimeout(() => server.closeAllConnections(), withinMs);
      await closed;
      clearTimeout(limit);
    },
  };
}

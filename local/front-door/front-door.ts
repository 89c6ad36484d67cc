import type { HttpBindings } from '@hono/node-server';
import type { IncomingMessage } from 'node:http';
import { Hono } from 'hono';
import { getCookie } from 'hono/cookie';
import { principalHeaders } from './principal';
import { proxy } from './proxy';
import { filedRequest, openSeenRequests } from './seen-requests';
import type { SeenRequests } from './seen-requests';
import { openDatabase, openSessions } from './sessions';
import { createSignIn, SESSION_COOKIE } from './sign-in';
import type { FrontDoorIssuer } from './sign-in';

export type { FrontDoorIssuer } from './sign-in';

export interface FrontDoorOptions {
  /** The Functions host, `http://127.0.0.1:7071`. */
  upstream: () => string;
  /** The site's public address, `http://localhost:7070`. */
  base: () => string;
  entra: FrontDoorIssuer;
  /** Database file that keeps the sessions; the issuer's will do, the tables' names differ. */
  state: string;
  /** Answers `/` and `/local/*` instead of the host. */
  home?: { fetch(request: Request, env: HomeBindings): Response | Promise<Response> };
}

/** What the home gets with each call. */
export type HomeBindings = HttpBindings & { seen: SeenRequests };

/** The site, and the end of its state. */
export type FrontDoor = Hono<Env> & { close(): void };

type Env = { Bindings: HttpBindings };

/** The path as a tolerant server could read it: decoded, in lower case, without dots and double slashes. */
function plainPath(rawUrl: string): string {
  const [path = ''] = rawUrl.split(/[?#]/, 1);
  let decoded = path;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    // Not decodable: no server reads anything else into it either.
  }
  const slashes = decoded.replace(/[\\/]+/g, '/').toLowerCase();
  return URL.canParse(slashes, 'http://site') ? new URL(slashes, 'http://site').pathname : slashes;
}

const isAuthPath = (rawUrl: string): boolean => /^\/\.auth(\/|$)/.test(plainPath(rawUrl));

/** App Service Authentication in front of the host, which lets unauthenticated requests through. Needs a Node listener. */
export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const { base, home } = options;
  const db = openDatabase(options.state);
  const sessions = openSessions(db);
  const seen = openSeenRequests(db);
  const auth = createSignIn({ sessions, base, entra: options.entra });
  const door = new Hono<Env>();

  door.use('*', async (c, next) => {
    const rawUrl = c.env.incoming.url ?? '/';
    if (!rawUrl.startsWith('/')) return c.text('Only paths are served here, not whole addresses.\n', 400);
    if (isAuthPath(rawUrl)) return auth.fetch(c.req.raw);
    return next();
  });

  if (home !== undefined) {
    door.all('/', (c) => home.fetch(c.req.raw, { ...c.env, seen }));
    door.all('/local/*', (c) => home.fetch(c.req.raw, { ...c.env, seen }));
  }

  door.all('*', (c) => {
    const session = sessions.find(getCookie(c, SESSION_COOKIE));
    const trusted = session === undefined ? {} : principalHeaders(session);
    const { incoming, outgoing } = c.env;
    const onAnswer = (answer: IncomingMessage): void => {
      const id = filedRequest(incoming.method, incoming.url, answer);
      if (id !== undefined) seen.add(id);
    };
    return proxy(incoming, outgoing, { upstream: options.upstream(), base: base(), trusted, onAnswer });
  });
  return Object.assign(door, { close: () => db.close() });
}

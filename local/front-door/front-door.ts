import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { getCookie } from 'hono/cookie';
import { principalHeaders } from './principal';
import { proxy } from './proxy';
import { openSessions } from './sessions';
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
  home?: Hono;
}

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
export function createFrontDoor(options: FrontDoorOptions): Hono<Env> {
  const { base, home } = options;
  const sessions = openSessions(options.state);
  const auth = createSignIn({ sessions, base, entra: options.entra });
  const door = new Hono<Env>();

  door.use('*', async (c, next) => {
    const rawUrl = c.env.incoming.url ?? '/';
    if (!rawUrl.startsWith('/')) return c.text('Only paths are served here, not whole addresses.\n', 400);
    if (isAuthPath(rawUrl)) return auth.fetch(c.req.raw);
    return next();
  });

  if (home !== undefined) {
    door.all('/', (c) => home.fetch(c.req.raw, c.env));
    door.all('/local/*', (c) => home.fetch(c.req.raw, c.env));
  }

  door.all('*', (c) => {
    const session = sessions.find(getCookie(c, SESSION_COOKIE));
    const trusted = session === undefined ? {} : principalHeaders(session);
    return proxy(c.env.incoming, c.env.outgoing, { upstream: options.upstream(), base: base(), trusted });
  });
  return door;
}

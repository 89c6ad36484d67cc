import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { createEntra } from '../../../local/entra/entra';
import type { Entra } from '../../../local/entra/entra';
import { createFrontDoor } from '../../../local/front-door/front-door';
import type { FrontDoor, HomeBindings } from '../../../local/front-door/front-door';

/** Issuer, front door and a host behind it, each on a listener of its own. */
export interface House {
  entra: Entra;
  /** The site's address. */
  site: string;
  upstreamPort: number;
  /** What the host gets; a test sets it. */
  host: { answer: RequestListener };
  stopHost(): Promise<void>;
  /** A new front door on the same state, as after a restart. */
  restartFrontDoor(): void;
  close(): Promise<void>;
}

function listenerOf(fetch: Parameters<typeof getRequestListener>[0]): RequestListener {
  const listener = getRequestListener(fetch);
  return (request, response) => void listener(request, response);
}

async function listen(listener: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

export async function openHouse(): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'front-door-'));
  const state = join(folder, 'entra.db');
  const host: House['host'] = { answer: (_, response) => void response.end('host') };
  const upstream = await listen((request, response) => host.answer(request, response));

  let entraListener: RequestListener = () => undefined;
  let doorListener: RequestListener = () => undefined;
  const issuer = await listen((request, response) => entraListener(request, response));
  const door = await listen((request, response) => doorListener(request, response));
  const site = `http://localhost:${String(door.port)}`;
  const httpBase = (): string => `http://localhost:${String(issuer.port)}`;
  const httpsBase = (): string => 'https://localhost:7073';

  const entra = createEntra({ state, httpBase, httpsBase, frontDoorBase: () => site });
  entraListener = listenerOf(entra.app.fetch);

  const home = new Hono<{ Bindings: HomeBindings }>()
    .get('/', (c) => c.text('home'))
    .get('/local/x', (c) => c.text('local x'))
    .get('/local/seen', (c) => c.json(c.env.seen.latest(10)));
  let frontDoor: FrontDoor | undefined;
  const restartFrontDoor = (): void => {
    frontDoor?.close();
    frontDoor = createFrontDoor({
      upstream: () => `http://127.0.0.1:${String(upstream.port)}`,
      base: () => site,
      entra: { httpBase, httpsBase, clientSecret: entra.frontDoorSecret },
      state,
      home,
    });
    doorListener = listenerOf(frontDoor.fetch);
  };
  restartFrontDoor();

  return {
    entra,
    site,
    upstreamPort: upstream.port,
    host,
    restartFrontDoor,
    stopHost: () => stop(upstream.server),
    close: async () => {
      await Promise.all([upstream.server, issuer.server, door.server].map(stop));
      frontDoor?.close();
      entra.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A browser without script: keeps cookies by name (as browsers do for `localhost`, whatever the port), follows nothing by itself. */
export class Browser {
  readonly cookies = new Map<string, string>();

  async go(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0)
      headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  /** From the site's sign-in to the issuer, a button pressed there, and to the callback; returns the callback's answer. */
  async signIn(site: string, person: string, target = '/page?x=1'): Promise<Response> {
    return this.go(await this.signInUpToCallback(site, person, target));
  }

  /** As `signIn`, but stops at the callback's address. */
  async signInUpToCallback(site: string, person: string, target: string): Promise<string> {
    const begun = await this.go(`${site}/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent(target)}`);
    const authorize = begun.headers.get('location') ?? '';
    const page = await (await this.go(authorize)).text();
    const fields = [...page.matchAll(/<input\s+type="hidden"\s+name="([^"]*)"\s+value="([^"]*)"/g)];
    const body = new URLSearchParams(
      fields.map(([, name = '', value = '']): [string, string] => [name, value.replaceAll('&amp;', '&')]),
    );
    body.set('person', person);
    const action = /<form method="post" action="([^"]*)"/.exec(page)?.[1] ?? '';
    const chosen = await this.go(new URL(action, authorize).href, { method: 'POST', body });
    return chosen.headers.get('location') ?? '';
  }
}

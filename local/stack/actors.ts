// Those who use Gatehouse, acting on a running stack over HTTP as they would from outside.
import { z } from 'zod';

import { apps, people, userPrincipalNameOf } from '../demo-tenant';
import type { AppAlias, PersonAlias } from '../demo-tenant';
import { tokenForm, tokenUrl } from './first-request';
import type { Urls } from './settings';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body where it is JSON, else undefined. */
  json: unknown;
}

async function answer(response: Response): Promise<Answer> {
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

/** A system with client credentials of its own. */
export interface SystemActor {
  token: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** Calls with a token, and with a new one where the old has run out: the stack's clock may have been moved. */
async function callerWith(urls: Pick<Urls, 'frontDoor'>, fetchToken: () => Promise<string>): Promise<SystemActor> {
  let token = await fetchToken();
  const call: SystemActor['call'] = async (method, path, body, headers = {}) => {
    const send = () =>
      fetch(new URL(path, urls.frontDoor), {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
    const first = await send();
    if (first.status !== 401) return answer(first);
    await first.text();
    token = await fetchToken();
    return answer(await send());
  };
  return {
    get token() {
      return token;
    },
    call,
  };
}

const tokenSchema = z.object({ access_token: z.string() });

export function asSystem(urls: Urls, alias: AppAlias): Promise<SystemActor> {
  return callerWith(urls, async () => {
    const response = await fetch(tokenUrl(urls.entra), {
      method: 'POST',
      body: new URLSearchParams(tokenForm(apps[alias])),
    });
    return tokenSchema.parse(await response.json()).access_token;
  });
}

/** A token that the local issuer mints to order, a wrong one if asked. */
export async function mintToken(urls: Urls, order: Record<string, unknown>): Promise<string> {
  const response = await fetch(`${urls.entra}/admin/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });
  return tokenSchema.parse(await response.json()).access_token;
}

/** A person calling the API with a token of their own. */
export function asPersonWithToken(urls: Urls, alias: PersonAlias): Promise<SystemActor> {
  return callerWith(urls, () => mintToken(urls, { person: alias }));
}

/** A browser: follows redirects, keeps cookies per host, runs no script. */
export interface Browser {
  get(url: string): Promise<Answer & { url: string }>;
  post(url: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Answer & { url: string }>;
  /** The header with the cookies that it holds for its own host. */
  cookies(): string;
}

export function openBrowser(base: string): Browser {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: URL): Map<string, string> => {
    const jar = jars.get(url.host) ?? new Map<string, string>();
    jars.set(url.host, jar);
    return jar;
  };

  const headerOf = (jar: Map<string, string>): string => [...jar].map(([name, value]) => `${name}=${value}`).join('; ');

  const visit = async (url: URL, init: RequestInit, hops = 0): Promise<Answer & { url: string }> => {
    const jar = jarOf(url);
    const cookie = headerOf(jar);
    const headers = new Headers(init.headers);
    if (cookie !== '') headers.set('cookie', cookie);
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      if (/;\s*(max-age=0|expires=thu, 01 jan 1970)/i.test(line)) jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null && hops < 10)
      return visit(new URL(location, url), { method: 'GET' }, hops + 1);
    return { ...(await answer(response)), url: url.href };
  };

  return {
    get: (url) => visit(new URL(url, base), { method: 'GET' }),
    post: (url, form, headers = {}) => {
      const target = new URL(url, base);
      return visit(target, {
        method: 'POST',
        body: new URLSearchParams(form),
        headers: { origin: target.origin, ...headers },
      });
    },
    cookies: () => headerOf(jarOf(new URL(base))),
  };
}

/** Value of a hidden field of the page's form. */
export function hiddenField(page: string, name: string): string {
  const field = page.match(/<input\b[^>]*>/g)?.find((tag) => tag.includes(`name="${name}"`)) ?? '';
  const value = /value="([^"]*)"/.exec(field)?.[1];
  if (value === undefined) throw new Error(`The page has no field ${name}.`);
  return value
    .replaceAll('&amp;', '&')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
}

/** Signs a demo person in through the front door and the issuer's page, and shows them `path`. */
export async function signIn(
  urls: Urls,
  alias: PersonAlias,
  path = '/.auth/me',
): Promise<{ browser: Browser; page: Answer & { url: string } }> {
  const browser = openBrowser(urls.frontDoor);
  const choose = await browser.get(`/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent(path)}`);
  const fields = [...choose.text.matchAll(/<input\b[^>]*type="hidden"[^>]*name="([^"]+)"/g)].map(
    ([, name = '']) => name,
  );
  const form = Object.fromEntries([...new Set(fields)].map((name) => [name, hiddenField(choose.text, name)]));
  const page = await browser.post(choose.url.split('?')[0] ?? choose.url, { ...form, person: alias });
  return { browser, page };
}

const messagesSchema = z.object({
  sequence: z.number(),
  messages: z.array(
    z.object({
      sequence: z.number(),
      operationId: z.string().nullish(),
      to: z.array(z.string()),
      subject: z.string(),
      plainText: z.string().nullish(),
      html: z.string().nullish(),
      headers: z.unknown(),
      status: z.string(),
    }),
  ),
});
export type InboxMail = z.output<typeof messagesSchema>['messages'][number];

export const addressOf = (alias: PersonAlias): string => people[alias].mail ?? userPrincipalNameOf(people[alias]);

/** Mails to a person, oldest first; only those behind this place in the inbox. */
export const mailsTo = (urls: Urls, alias: PersonAlias, after = 0): Promise<InboxMail[]> =>
  mailsToAddress(urls, addressOf(alias), after);

export async function mailsToAddress(urls: Urls, address: string, after = 0): Promise<InboxMail[]> {
  const response = await fetch(
    `${urls.mail}/api/messages?limit=1000&after=${String(after)}&to=${encodeURIComponent(address)}`,
  );
  return messagesSchema.parse(await response.json()).messages.toReversed();
}

/** The place of the newest mail in the inbox. */
export async function lastMail(urls: Urls): Promise<number> {
  const response = await fetch(`${urls.mail}/api/messages?limit=1`);
  return messagesSchema.parse(await response.json()).sequence;
}

/** Waits, at the mail service itself, until the person has more than `have` mails; returns all, oldest first. */
export async function awaitMails(urls: Urls, alias: PersonAlias, have: number, ms = 20_000): Promise<InboxMail[]> {
  const end = performance.now() + ms;
  let mails = await mailsTo(urls, alias);
  while (mails.length <= have) {
    const left = Math.round(end - performance.now());
    if (left <= 0)
      throw new Error(
        `${addressOf(alias)} got ${String(mails.length)} mails, not more than ${String(have)}, within ${String(ms)} ms`,
      );
    const after = mails.at(-1)?.sequence ?? 0;
    await (
      await fetch(
        `${urls.mail}/api/messages?to=${encodeURIComponent(addressOf(alias))}&after=${String(after)}&wait=${String(left)}`,
      )
    ).text();
    mails = await mailsTo(urls, alias);
  }
  return mails;
}

/** The decision link of an approval mail, without a preselected choice. */
export function linkIn(mail: InboxMail): string {
  const link = /https?:\/\/\S+\/api\/decisions\/[A-Za-z0-9_-]{22}/.exec(mail.plainText ?? '')?.[0];
  if (link === undefined) throw new Error(`The mail '${mail.subject}' has no decision link.`);
  return link;
}

export async function membersOf(urls: Urls, groupId: string): Promise<string[]> {
  const response = await fetch(`${urls.directory}/admin/groups/${groupId}/members`);
  const body = await response.text();
  return [...new Set(body.match(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g) ?? [])];
}

/** Changes the directory as an administrator would, past Gatehouse. */
export async function changeDirectory(urls: Urls, ...changes: unknown[]): Promise<void> {
  const response = await fetch(`${urls.directory}/admin/changes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(changes),
  });
  if (!response.ok) throw new Error(`The directory refused: ${await response.text()}`);
}

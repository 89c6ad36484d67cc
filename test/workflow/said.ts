// What an app says and keeps while a test goes on, and what may be in none of it.
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { TableServiceClient } from '@azure/data-tables';
import { z } from 'zod';

import type { Urls } from '../../local/stack/settings';
import type { Stack } from '../../local/stack/stack';
import { identityToken, tableClient } from '../http/stack/tools';

/** A thing that was said or kept, and where. */
export interface Said {
  where: string;
  text: string;
}
export type Patterns = Record<string, RegExp>;

export const SECRETS = {
  'a key in an address': /\bcode=/,
  'an address of the durable extension': /runtime\/webhooks/i,
  'a bearer token': /Bearer\s+ey/,
  'a JSON web token': /\bey[\w-]{8,}\.ey[\w-]{8,}\.[\w-]*/,
  'a key of the storage account': /AccountKey=|SharedKey\s/,
} as const satisfies Patterns;

export const literally = (text: string): RegExp => new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));

/** A sentence for each pattern that is found in something said. */
export const found = (said: Iterable<Said>, patterns: Patterns): string[] =>
  [...said].flatMap(({ where, text }) =>
    Object.entries(patterns).flatMap(([what, pattern]) => {
      const hit = pattern.exec(text);
      if (hit === null) return [];
      return `${what} in ${where}: …${text.slice(Math.max(0, hit.index - 60), hit.index + 80)}…`;
    }),
  );

/** The keys with which the host of this stack may be managed. */
export const keysOfHost = ({ state }: Pick<Stack, 'state'>): string[] =>
  JSON.stringify(JSON.parse(readFileSync(join(state, 'host-keys.json'), 'utf8'))).match(/[\w-]{40,}/g) ?? [];

/** What may be in nothing that the app of this stack says or keeps. */
export const secretsOf = (stack: Pick<Stack, 'state'>): Patterns => ({
  ...SECRETS,
  ...Object.fromEntries(keysOfHost(stack).map((key, n) => [`key ${String(n)} of the host`, literally(key)])),
});

/** An answer of the site; none of the platform's own sign-in, whose address carries the issuer's code by design. */
export const isOfSite = ({ frontDoor }: Pick<Urls, 'frontDoor'>, { origin, pathname }: URL): boolean =>
  origin === new URL(frontDoor).origin && !pathname.startsWith('/.auth');

export const saidInAnswer = (
  url: URL,
  { method, status, headers, text }: { method: string; status: number; headers: [string, string][]; text: string },
): Said => ({
  where: `the answer ${String(status)} of ${method} ${url.pathname}`,
  text: `${headers.map(([name, value]) => `${name}: ${value}`).join('\n')}\n\n${text}`,
});

/**
 * Hears every answer of the site that is fetched in this process from now on.
 * @returns what ends it, and resolves when the last answer was heard
 */
export function hearAnswers(urls: Pick<Urls, 'frontDoor'>, hear: (said: Said) => void): () => Promise<void> {
  const before = globalThis.fetch;
  const hearing = new Set<Promise<void>>();
  const listening: typeof fetch = async (input, init) => {
    const response = await before(input, init);
    const url = new URL(input instanceof Request ? input.url : input);
    if (!isOfSite(urls, url)) return response;
    const { status, headers } = response;
    const heard = response
      .clone()
      .text()
      .then(
        (text) => hear(saidInAnswer(url, { method: init?.method ?? 'GET', status, headers: [...headers], text })),
        // an answer that was cut off, by whoever asked or by a host that was killed
        () => undefined,
      )
      .finally(() => hearing.delete(heard));
    hearing.add(heard);
    return response;
  };
  globalThis.fetch = listening;
  return async () => {
    // another house may have begun to listen since: it goes on
    if (globalThis.fetch === listening) globalThis.fetch = before;
    await Promise.all(hearing);
  };
}

const mailsSchema = z.object({ messages: z.array(z.looseObject({ subject: z.string(), sequence: z.number() })) });

/** All mails that were sent, as the local mail service keeps them. */
export async function mailsSent({ mail }: Pick<Urls, 'mail'>): Promise<Said[]> {
  const said: Said[] = [];
  for (let earlier = ''; ;) {
    const page = await fetch(`${mail}/api/messages?limit=1000${earlier}`);
    const { messages } = mailsSchema.parse(await page.json());
    said.push(
      ...messages.map((message) => ({ where: `the mail '${message.subject}'`, text: JSON.stringify(message) })),
    );
    if (messages.length < 1_000) return said;
    earlier = `&before=${String(Math.min(...messages.map(({ sequence }) => sequence)))}`;
  }
}

/** Every row of every table. */
export async function rowsKept(stack: Stack): Promise<Said[]> {
  const service = new TableServiceClient(
    stack.urls.tables,
    { getToken: () => identityToken(stack) },
    { tlsOptions: { ca: stack.tls.ca } },
  );
  const said: Said[] = [];
  for await (const { name = '' } of service.listTables())
    for await (const row of tableClient(stack, name).listEntities())
      said.push({
        where: `table ${name}, row ${String(row.partitionKey)}/${String(row.rowKey)}`,
        text: JSON.stringify(row),
      });
  return said;
}

/** Reads the store of the durable extension, a copy of it: the running host has it open, and each of its steps is one transaction. */
export function readDurableStore<Result>(
  { state }: Pick<Stack, 'state'>,
  read: (store: DatabaseSync) => Result,
): Result {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-durable-'));
  for (const file of ['host.db', 'host.db-wal'])
    if (existsSync(join(state, file))) copyFileSync(join(state, file), join(folder, file));
  const store = new DatabaseSync(join(folder, 'host.db'));
  try {
    return read(store);
  } finally {
    store.close();
    rmSync(folder, { recursive: true });
  }
}

/** Everything in the store of the durable extension. */
export const durableRowsKept = (stack: Pick<Stack, 'state'>): Said[] =>
  readDurableStore(stack, (store) => {
    const tables = store.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return tables.flatMap(({ name }) =>
      store
        .prepare(`SELECT * FROM "${String(name)}"`)
        .all()
        .map((row) => ({ where: `durable ${String(name)}`, text: JSON.stringify(row) })),
    );
  });

import { EXIT, Failure, usage } from './failure';
import type { Operation } from './operations';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body where it is JSON, else undefined. */
  json: unknown;
}

/** What is given to an operation, by the names of its fields. */
export type Values = Readonly<Record<string, unknown>>;

export interface CallOptions {
  /** In place of the fields of the body. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}

export interface Api {
  /** Any answer, a refusal too. @throws {Failure} where there is none, or none that Gatehouse would give */
  call(operation: Operation, values: Values, options?: CallOptions): Promise<Answer>;
}

/** Azure itself ends a call after 230 seconds. */
const LONGEST_MS = 240_000;

/** The API at this address. `token` is asked before each call; absent where nobody signs in. */
export function openApi(baseUrl: string, token: (() => Promise<string>) | undefined): Api {
  return {
    call: async (operation, values, options = {}) => {
      const { url, init } = requestOf(baseUrl, operation, values, options);
      const bearer = operation.roles === null ? undefined : await token?.();
      if (bearer !== undefined) init.headers.set('authorization', `Bearer ${bearer}`);
      return answerOf(await send(url, init, baseUrl), baseUrl);
    },
  };
}

function requestOf(baseUrl: string, { method, path, fields }: Operation, values: Values, options: CallOptions) {
  const given = fields.filter(({ name }) => values[name] !== undefined);
  const of = (where: string): [string, unknown][] =>
    given.filter((field) => field.in === where).map(({ name }) => [name, values[name]]);
  let address = path;
  for (const [name, value] of of('path')) address = address.replace(`{${name}}`, segment(name, String(value)));
  const query = new URLSearchParams(of('query').map(([name, value]): [string, string] => [name, String(value)]));

  const headers = new Headers({ accept: 'application/json', 'user-agent': 'gatehouse-cli' });
  for (const [name, value] of of('header')) headers.set(name, headerText(name, String(value)));
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  const takesBody = fields.some((field) => field.in === 'body');
  const body = options.body ?? (takesBody ? Object.fromEntries(of('body')) : undefined);
  if (body !== undefined) headers.set('content-type', 'application/json');
  return {
    url: `${baseUrl}${address}${query.size === 0 ? '' : `?${query.toString()}`}`,
    init: { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) },
  };
}

/** One part of a path, which can't reach out of its place. */
function segment(name: string, value: string): string {
  if (value === '' || value === '.' || value === '..')
    throw usage(`${value === '' ? 'Nothing' : value} is no ${name}.`);
  return encodeURIComponent(value);
}

function headerText(name: string, value: string): string {
  if (!/^[\x20-\x7e]*$/.test(value)) throw usage(`${name} can hold visible ASCII characters only.`);
  return value;
}

async function send(url: string, init: RequestInit, baseUrl: string): Promise<Response> {
  try {
    // a token must not follow where an answer points
    return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(LONGEST_MS) });
  } catch (error) {
    throw new Failure(EXIT.tryLater, `Gatehouse at ${baseUrl} can’t be reached (${whyNot(error)}).`);
  }
}

function whyNot(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? name ?? 'for a reason unknown';
}

async function answerOf(response: Response, baseUrl: string): Promise<Answer> {
  const { status, headers } = response;
  let text: string;
  try {
    // with the mark at its start by which spreadsheets know CSV for UTF-8
    text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(await response.arrayBuffer());
  } catch (error) {
    throw new Failure(EXIT.tryLater, `The answer of Gatehouse at ${baseUrl} broke off (${whyNot(error)}).`);
  }
  const location = headers.get('location');
  if (status >= 300 && status < 400)
    throw new Failure(
      EXIT.unexpected,
      `${baseUrl} points to ${location ?? 'somewhere else'}: is it the address of Gatehouse?`,
    );
  const type = headers.get('content-type') ?? '';
  const json = /\bjson\b/.test(type) && !type.startsWith('application/jsonl') ? parsed(text) : undefined;
  const isOther = type.startsWith('text/csv') || type.startsWith('application/jsonl');
  if (status < 300 && json === undefined && !isOther)
    throw new Failure(EXIT.unexpected, `${baseUrl} did not answer with JSON: is it the address of Gatehouse?`);
  return { status, headers, text, json };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}

/** Milliseconds to wait before trying again, where the answer says so: in seconds, or until a date (RFC 9110, 10.2.3). */
export function retryAfterMs({ headers }: Pick<Answer, 'headers'>, now = Date.now()): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const until = Date.parse(text);
  return Number.isNaN(until) ? undefined : Math.max(0, until - now);
}

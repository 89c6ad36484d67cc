import type { TokenCredential } from '@azure/identity';
import { z } from 'zod';

import { event } from '../telemetry';
import { DirectoryRefused, DirectoryUnavailable } from './directory';

/** A wait that is longer is given back to the caller: nothing that streams may be silent for 230 seconds (Azure's load balancer). */
const LONGEST_WAIT_MS = 120_000;
const TIMES_LONGER = 2;
const FIRST_WAIT_MS = 1_000;
const ATTEMPTS = 8;

/** One call of a batch; its path begins after the version. */
export interface BatchCall {
  path: string;
  /** An advanced query, such as `$count` (https://learn.microsoft.com/graph/aad-advanced-queries). */
  eventual?: boolean;
}

/** Reads Microsoft Graph for long: it waits out throttling, and gives up only where that goes on or something else is wrong. */
export interface GraphReader {
  /** JSON, or text where that is what Graph answers. @throws {DirectoryUnavailable | DirectoryRefused} */
  get(path: string, eventual?: boolean): Promise<unknown>;
  /**
   * At most 20 calls in one (https://learn.microsoft.com/graph/json-batching), in their order: each body, `undefined` where there is no
   * such object. Those that were throttled are made again by themselves.
   */
  batch(calls: readonly BatchCall[]): Promise<unknown[]>;
  /** What it did so far. */
  spent(): Spent;
}

export interface Spent {
  /** Calls over the wire; a batch is one. */
  graphCalls: number;
  /** Calls, alone or in a batch, that Graph put off. */
  throttled: number;
}

/** Calls that one batch takes. */
export const BATCH_LIMIT = 20;

const EVENTUAL = { consistencylevel: 'eventual' };
const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const batchSchema = z.object({
  responses: z.array(
    z.object({
      id: z.string(),
      status: z.int(),
      headers: z.record(z.string(), z.string()).nullish(),
      body: z.unknown().optional(),
    }),
  ),
});

const passes = (status: number): boolean => status === 429 || status >= 500;

/** Seconds, as Graph sends it, also with a fraction. */
function retryAfterMs(value: string | null | undefined): number | undefined {
  const seconds = Number(value ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds * 1_000) : undefined;
}

function refused(status: number, body: unknown): DirectoryRefused {
  const parsed = errorSchema.safeParse(body);
  const { code, message } = parsed.success ? parsed.data.error : { code: 'unknown', message: 'no reason given' };
  return new DirectoryRefused(status, code, `Microsoft Graph refused (${String(status)} ${code}): ${message}`);
}

/** How Microsoft Graph is reached. */
export interface GraphSource {
  /** `https://graph.microsoft.com`, or the endpoint of a national cloud. */
  endpoint: string;
  /** Scope of its tokens, `https://graph.microsoft.com/.default` or a national cloud's. */
  scope: string;
  credential: TokenCredential;
  /** What a single call may take; a batch, or a page of a thousand, twice that. */
  timeoutMs: number;
}

/** All calls of one reader wait where one of them was told to: Graph's limits are the app's, not the call's. */
export function graphReader({
  endpoint,
  scope,
  credential,
  timeoutMs,
  signal,
}: GraphSource & { signal?: AbortSignal }): GraphReader {
  let notBefore = 0;
  let graphCalls = 0;
  let throttled = 0;

  const pause = async (): Promise<void> => {
    for (let left = notBefore - performance.now(); left > 0; left = notBefore - performance.now())
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(done, left);
        function done(): void {
          signal?.removeEventListener('abort', stop);
          resolve();
        }
        function stop(): void {
          clearTimeout(timer);
          reject(new DirectoryUnavailable('The reading was broken off.'));
        }
        if (signal?.aborted === true) stop();
        else signal?.addEventListener('abort', stop, { once: true });
      });
  };

  /** Holds all calls back: as long as Graph says, else twice as long each time (the identity service may not say). */
  const holdBack = (status: number, asked: number | undefined, attempt: number): void => {
    const wait = asked ?? FIRST_WAIT_MS * 2 ** (attempt - 1);
    if (status === 429) throttled += 1;
    if (wait > LONGEST_WAIT_MS || attempt >= ATTEMPTS)
      throw new DirectoryUnavailable(`Microsoft Graph answered ${String(status)}, ${String(attempt)} times`, wait);
    notBefore = Math.max(notBefore, performance.now() + wait);
  };

  const once = async (path: string, init: RequestInit): Promise<{ response: Response; body: unknown }> => {
    const token = await credential.getToken(scope);
    if (token === null) throw new DirectoryUnavailable('The managed identity gave no token for Microsoft Graph.');
    graphCalls += 1;
    const timeout = AbortSignal.timeout(TIMES_LONGER * timeoutMs);
    const response = await fetch(`${endpoint}/v1.0${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token.token}` },
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { response, body: response.ok && isJson ? JSON.parse(text) : isJson ? orText(text) : text };
  };

  const call = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    for (let attempt = 1; ; attempt += 1) {
      await pause();
      let answer: Awaited<ReturnType<typeof once>>;
      try {
        answer = await once(path, init);
      } catch (error) {
        if (error instanceof DirectoryUnavailable || signal?.aborted === true) throw unavailable(error);
        // no connection, no end within the time, or no JSON
        if (attempt >= ATTEMPTS / 2) throw unavailable(error);
        holdBack(0, undefined, attempt);
        continue;
      }
      const { response, body } = answer;
      if (response.ok) return body;
      if (response.status === 429 || response.status === 403) tellCall(response.status, path);
      if (!passes(response.status)) throw refused(response.status, body);
      holdBack(response.status, retryAfterMs(response.headers.get('retry-after')), attempt);
    }
  };

  const batch: GraphReader['batch'] = async (calls) => {
    const answers: unknown[] = calls.map(() => undefined);
    let open = calls.map((each, index) => ({ ...each, index }));
    for (let attempt = 1; open.length > 0; attempt += 1) {
      const requests = open.map(({ path, eventual, index }) => ({
        id: String(index),
        method: 'GET',
        url: path,
        ...(eventual === true && { headers: { ConsistencyLevel: 'eventual' } }),
      }));
      const body = await call('/$batch', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ requests }),
      });
      const parsed = batchSchema.safeParse(body);
      const responses = new Map(parsed.data?.responses.map((each) => [each.id, each]));
      const again: typeof open = [];
      for (const each of open) {
        const answer = responses.get(String(each.index));
        if (answer === undefined) throw new DirectoryUnavailable('Microsoft Graph left out an answer of a batch.');
        if (answer.status < 300) answers[each.index] = answer.body;
        else if (passes(answer.status)) {
          if (answer.status === 429) tellCall(429, each.path);
          again.push(each);
          const headers = new Headers(answer.headers ?? {});
          holdBack(answer.status, retryAfterMs(headers.get('retry-after')), attempt);
        } else if (answer.status !== 404) throw refused(answer.status, answer.body);
      }
      open = again;
    }
    return answers;
  };

  return {
    get: (path, eventual = false) => call(path, eventual ? { headers: EVENTUAL } : {}),
    batch,
    spent: () => ({ graphCalls, throttled }),
  };
}

const unavailable = (error: unknown): DirectoryUnavailable =>
  error instanceof DirectoryUnavailable
    ? error
    : new DirectoryUnavailable(`Microsoft Graph can't be reached: ${String(error)}`);

function orText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** For the alerts, as each call of the directory tells it; no id in it. */
function tellCall(status: number, path: string): void {
  const call = path.split('?')[0] ?? path;
  event('graph', { status, call: `/v1.0${call.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, '{id}')}` });
}

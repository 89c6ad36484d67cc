import { statSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { startStack } from '../../../local/stack/stack';
import type { Stack } from '../../../local/stack/stack';
import { identityToken, isAlive, tableClient, temporaryFolder } from './tools';

const HOUR = 3_600_000;

/** The status that an https listener answers to a client that trusts the stack's certificate and nothing else. */
function httpsStatus(url: string, ca: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ca, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    call.once('error', reject);
    call.end();
  });
}

describe('the services of the stack', () => {
  const folder = temporaryFolder();
  let stack: Stack;
  let startMs: number;

  beforeAll(async () => {
    const started = performance.now();
    stack = await startStack({ state: folder.path, host: false, wires: true });
    startMs = performance.now() - started;
  });
  afterAll(async () => {
    await stack.stop();
    folder.remove();
  });

  test('start within seconds on free ports', () => {
    expect(startMs).toBeLessThan(20_000);
    const used = Object.entries(stack.ports).filter(([, port]) => port !== 0);
    expect(new Set(used.map(([, port]) => port)).size).toBe(used.length);
  });

  test.each(['frontDoor', 'entra', 'directory', 'mail'] as const)('%s shows a page over http', async (part) => {
    const answer = await fetch(`${stack.urls[part]}/`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/text\/html/);
  });

  test.each(['entraHttps', 'directoryHttps', 'mailHttps', 'tables', 'wire'] as const)(
    '%s answers over TLS to whoever trusts the stack’s certificate',
    async (part) => {
      const { origin } = new URL(stack.urls[part]);
      await expect(httpsStatus(`${origin}/`, stack.tls.ca)).resolves.toBeGreaterThanOrEqual(200);
      await expect(httpsStatus(`${origin.replace('localhost', '127.0.0.1')}/`, stack.tls.ca)).resolves.toBeGreaterThan(
        0,
      );
      await expect(httpsStatus(`${origin}/`, '')).rejects.toThrow(/certificate/);
    },
  );

  test('keep the key of the certificate to its owner', () => {
    if (process.platform === 'win32') return;
    expect(statSync(join(folder.path, 'tls', 'localhost.key')).mode & 0o777).toBe(0o600);
  });

  test('give Azurite the stack’s clock: rows carry its time, and tokens expire by it', async () => {
    await tableClient(stack, 'clocked').createTable();
    const old = await identityToken(stack);
    expect(await tokenStatus(stack, old.token)).toBe(200);
    stack.clock.advance(48 * HOUR);
    const table = tableClient(stack, 'clocked');
    await table.createEntity({ partitionKey: 'p', rowKey: 'r' });
    const { timestamp } = await table.getEntity<{ timestamp: string }>('p', 'r');
    expect(Math.abs(Date.parse(timestamp) - (Date.now() + 48 * HOUR))).toBeLessThan(60_000);
    expect([401, 403]).toContain(await tokenStatus(stack, old.token));
    expect(await tokenStatus(stack, (await identityToken(stack)).token)).toBe(200);
  });

  test('show the stack’s time on the start page, and move it for a form of that page only', async () => {
    const post = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${stack.urls.frontDoor}/local/clock`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ move: 'P1D' }),
        redirect: 'manual',
      });
    const before = stack.clock.now().getTime();
    expect((await post({})).status).toBe(403);
    expect((await post({ origin: 'https://elsewhere.example' })).status).toBe(403);
    expect(stack.clock.now().getTime() - before).toBeLessThan(HOUR);
    expect((await post({ origin: stack.urls.frontDoor })).status).toBe(303);
    expect(stack.clock.now().getTime() - before).toBeGreaterThanOrEqual(24 * HOUR);
    const page = await (await fetch(`${stack.urls.frontDoor}/`)).text();
    expect(page).toContain(stack.clock.now().toISOString().slice(0, 10));
  });

  test('start again with everything they kept', async () => {
    const table = tableClient(stack, 'kept');
    await table.createTable();
    await table.createEntity({ partitionKey: 'p', rowKey: 'r', text: 'written just before the stop' });
    const { pids } = stack;
    const before = stack.clock.now().getTime();
    const header = stack.settings['IDENTITY_HEADER'];
    const { certFile } = stack.tls;
    const certificate = statSync(certFile).mtimeMs;

    await stack.stop();
    expect(Object.values(pids).filter((pid) => isAlive(pid))).toEqual([]);

    stack = await startStack({ state: folder.path, host: false, wires: true });
    const again = await tableClient(stack, 'kept').getEntity<{ text: string }>('p', 'r');
    expect(again.text).toBe('written just before the stop');
    expect(stack.clock.now().getTime()).toBeGreaterThanOrEqual(before);
    expect(stack.settings['IDENTITY_HEADER']).toBe(header);
    expect(statSync(certFile).mtimeMs).toBe(certificate);
  });

  test('refuse a second stack on the same state', async () => {
    const second = startStack({ state: join(folder.path, '.'), host: false });
    await expect(second).rejects.toThrow(/is in use by another local stack/);
  });
});

async function tokenStatus(stack: Stack, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json;odata=nometadata',
      'x-ms-version': '2019-02-02',
    };
    const call = request(`${stack.urls.tables}/Tables`, { headers, ca: stack.tls.ca, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    call.once('error', reject);
    call.end();
  });
}

describe('services in processes of their own', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ host: false, separate: true });
  });
  afterAll(async () => {
    await stack.stop();
  });

  test.each(['directory', 'mail'] as const)('%s can be killed and started again by itself', async (part) => {
    const pid = stack.pids[part];
    expect(pid).toBeGreaterThan(0);
    await stack.kill(part);
    await expect(fetch(`${stack.urls[part]}/`)).rejects.toThrow();
    expect((await fetch(`${stack.urls.entra}/`)).status).toBe(200);
    await stack.restart(part);
    expect(stack.pids[part]).not.toBe(pid);
    expect((await fetch(`${stack.urls[part]}/`)).status).toBe(200);
  });
});

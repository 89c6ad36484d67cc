import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EmailClient } from '@azure/communication-email';
import type { EmailClientOptions } from '@azure/communication-email';
import { buildSync } from 'esbuild';
import { generate } from 'selfsigned';
import { ACCESS_KEY } from '../../unit/local/mail/harness';
import type { ListedMessage } from '../../unit/local/mail/harness';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-mail-'));
const bundle = join(folder, 'process.cjs');
const children: ChildProcess[] = [];
let pem: { private: string; cert: string };

beforeAll(async () => {
  pem = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  buildSync({
    entryPoints: [join(__dirname, 'process.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
  });
});
afterAll(async () => {
  for (const child of children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    const dead = once(child, 'exit');
    child.kill('SIGKILL');
    await dead;
  }
  rmSync(folder, { recursive: true });
});

/** Eight at a time; a worker whose call fails goes on with the next. */
async function each(ids: string[], work: (id: string) => Promise<unknown>): Promise<void> {
  const left = [...ids];
  const worker = async () => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) await work(id).catch(() => undefined);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

async function start() {
  const child = spawn(process.execPath, [bundle, join(folder, 'mail.db'), pem.private, pem.cert, ACCESS_KEY], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  lines.close();
  const { acs, inbox } = JSON.parse(line) as { acs: string; inbox: string };
  const options = { tlsOptions: { ca: pem.cert }, retryOptions: { maxRetries: 0 } } as EmailClientOptions;
  const client = new EmailClient(`endpoint=${acs}/;accesskey=${ACCESS_KEY}`, options);
  const send = (operationId: string) =>
    client.beginSend(
      {
        senderAddress: 'gatehouse@contoso.example',
        content: { subject: operationId, plainText: 'x' },
        recipients: { to: [{ address: 'owner@contoso.example' }] },
      },
      { operationId },
    );
  const mails = async () => {
    const response = await fetch(`${inbox}/api/messages?limit=1000`);
    return ((await response.json()) as { messages: ListedMessage[] }).messages;
  };
  return { child, acs, send, mails };
}

describe('a service that is killed', () => {
  it('has every mail that it accepted after the next start, and sends none of them twice', async () => {
    const first = await start();
    const ids = Array.from({ length: 100 }, () => randomUUID());
    const accepted: string[] = [];
    const dead = once(first.child, 'exit');
    await each(ids, async (id) => {
      await first.send(id);
      accepted.push(id);
      if (accepted.length === 30) first.child.kill('SIGKILL');
    });
    await dead;
    expect(accepted.length).toBeGreaterThanOrEqual(30);
    expect(accepted.length).toBeLessThan(ids.length);

    const second = await start();
    const kept = (await second.mails()).map(({ subject }) => subject);
    expect(kept).toEqual(expect.arrayContaining(accepted));
    await each(ids, second.send);
    const all = (await second.mails()).map(({ subject }) => subject);
    expect(all.sort()).toEqual([...ids].sort());
  });

  it('speaks TLS only on its ACS port', async () => {
    const { acs } = await start();
    const refused = once(request(acs, { ca: [] }).end(), 'error');
    expect(String((await refused)[0])).toMatch(/self-signed certificate/);
    await expect(fetch(acs.replace('https:', 'http:'))).rejects.toThrow();
  });
});

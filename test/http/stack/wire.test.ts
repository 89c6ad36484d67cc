import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TableTransaction, odata } from '@azure/data-tables';
import type { FaultRule, RecordedCall } from '../../../local/faults';
import { listen } from '../../../local/stack/listeners';
import type { Listener } from '../../../local/stack/listeners';
import { startStack } from '../../../local/stack/stack';
import type { Stack } from '../../../local/stack/stack';
import { createWire } from '../../../local/wire';
import type { Wire } from '../../../local/wire';
import { isAlive, runNode, tableClient } from './tools';

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

describe('the wire', () => {
  let service: Server;
  let wire: Wire;
  let front: Listener;
  let admin: Listener;
  let seen: Seen[] = [];
  const at = (path: string): string => `http://localhost:${front.port}${path}`;
  const adminAt = (path: string): string => `http://localhost:${admin.port}${path}`;

  const inject = async (rule: FaultRule): Promise<void> => {
    const answer = await fetch(adminAt('/admin/faults'), { method: 'POST', body: JSON.stringify(rule) });
    expect(answer.status).toBe(204);
  };
  const calls = async (): Promise<RecordedCall[]> =>
    (await (await fetch(adminAt('/admin/calls'))).json()) as RecordedCall[];

  beforeAll(async () => {
    service = createServer((incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const { method = '', url = '', headers } = incoming;
        seen.push({ method, url, headers, body: Buffer.concat(chunks) });
        outgoing.setHeader('x-two', ['a', 'b']);
        outgoing.writeHead(method === 'DELETE' ? 204 : 201, {
          'content-type': 'text/plain',
          location: `http://${headers.host}/new`,
        });
        outgoing.end(method === 'DELETE' ? undefined : 'made');
      });
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    wire = createWire({ target: () => `http://127.0.0.1:${(service.address() as AddressInfo).port}` });
    front = await listen(wire.app, 0);
    admin = await listen(wire.admin, 0);
  });
  beforeEach(async () => {
    seen = [];
    await fetch(adminAt('/admin/faults'), { method: 'DELETE' });
    await fetch(adminAt('/admin/calls'), { method: 'DELETE' });
  });
  afterAll(async () => {
    await front.close();
    await admin.close();
    wire.close();
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
  });

  test('passes method, path, headers and any bytes unchanged, and the answer back', async () => {
    const body = Buffer.from([0, 255, 1, 13, 10, 128]);
    const headers = { 'x-ms-date': 'today', 'if-match': 'W/"1"', 'content-type': 'application/octet-stream' };
    const answer = await fetch(at("/account/table(PartitionKey='a%2Fb')?$filter=x%20eq%20%271%27"), {
      method: 'PUT',
      headers,
      body,
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-two')).toBe('a, b');
    expect(await answer.text()).toBe('made');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      method: 'PUT',
      url: "/account/table(PartitionKey='a%2Fb')?$filter=x%20eq%20%271%27",
      headers,
    });
    expect(seen[0]?.body.equals(body)).toBe(true);
  });

  test('lets the service see the wire as its own address, so that its links lead back here', async () => {
    const answer = await fetch(at('/x'), { method: 'POST', body: 'y' });
    expect(answer.headers.get('location')).toBe(at('/new'));
  });

  test('passes answers without a body', async () => {
    const answer = await fetch(at('/x'), { method: 'DELETE' });
    expect(answer.status).toBe(204);
    expect(await answer.text()).toBe('');
  });

  test('records every call with its answer', async () => {
    await fetch(at('/a?b=c'), { method: 'POST', body: 'hello' });
    await fetch(at('/d'), { method: 'DELETE' });
    expect(await calls()).toMatchObject([
      { method: 'POST', path: '/a?b=c', status: 201, body: 'hello' },
      { method: 'DELETE', path: '/d', status: 204, body: '' },
    ]);
  });

  test('answers in the service’s place, for as many calls as it was told and after those it skips', async () => {
    await inject({
      method: 'POST',
      path: '^/a$',
      skip: 1,
      times: 1,
      fault: { kind: 'answer', status: 503, headers: { 'retry-after': '7' }, body: 'busy' },
    });
    const post = (): Promise<Response> => fetch(at('/a'), { method: 'POST', body: 'x' });
    expect((await post()).status).toBe(201);
    const busy = await post();
    expect([busy.status, busy.headers.get('retry-after'), await busy.text()]).toEqual([503, '7', 'busy']);
    expect((await post()).status).toBe(201);
    expect(seen).toHaveLength(2);
  });

  test('goes wrong for calls of a body only, and tells how often it did', async () => {
    await inject({ body: 'claims', times: 2, fault: { kind: 'answer', status: 503 } });
    const post = async (body: string): Promise<number> => (await fetch(at('/a'), { method: 'POST', body })).status;
    expect([await post('requests'), await post('claims')]).toEqual([201, 503]);
    const hits = async (): Promise<unknown> => (await fetch(adminAt('/admin/faults'))).json();
    expect(await hits()).toMatchObject([{ body: 'claims', hits: 1 }]);
    expect([await post('claims'), await post('claims')]).toEqual([503, 201]);
    expect(await hits()).toMatchObject([{ hits: 2 }]);
  });

  test('drops the connection before the service acts', async () => {
    await inject({ times: 1, fault: { kind: 'reset', when: 'before' } });
    await expect(fetch(at('/a'), { method: 'POST', body: 'x' })).rejects.toThrow();
    expect(seen).toHaveLength(0);
    expect(await calls()).toMatchObject([{ status: 0 }]);
  });

  test('drops the connection after the service acted', async () => {
    await inject({ times: 1, fault: { kind: 'reset', when: 'after' } });
    await expect(fetch(at('/a'), { method: 'POST', body: 'x' })).rejects.toThrow();
    expect(seen).toHaveLength(1);
  });

  test('answers garbage', async () => {
    await inject({ times: 1, fault: { kind: 'garbage' } });
    const answer = await fetch(at('/a'));
    await expect(answer.json()).rejects.toThrow();
    expect(seen).toHaveLength(0);
  });

  test('delays a call and then passes it', async () => {
    await inject({ times: 1, fault: { kind: 'delay', ms: 300 } });
    const started = performance.now();
    expect((await fetch(at('/a'))).status).toBe(201);
    expect(performance.now() - started).toBeGreaterThanOrEqual(295);
    expect(seen).toHaveLength(1);
  });

  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)('kills a process %s the service acts', async (when, acted) => {
    const victim = runNode(['-e', 'setInterval(() => {}, 1000); console.log("up")']);
    await inject({ times: 1, fault: { kind: 'kill', pid: victim.pid, when } });
    await expect(fetch(at('/a'), { method: 'POST', body: 'x' })).rejects.toThrow();
    await victim.ended;
    expect(isAlive(victim.pid)).toBe(false);
    expect(seen).toHaveLength(acted);
  });

  test('tells what is wrong with a fault', async () => {
    const answer = await fetch(adminAt('/admin/faults'), {
      method: 'POST',
      body: JSON.stringify({ fault: { kind: 'melt' } }),
    });
    expect(answer.status).toBe(400);
  });

  test('drops calls while the service is away, and finds it again', async () => {
    const { port } = service.address() as AddressInfo;
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
    await expect(fetch(at('/a'))).rejects.toThrow();
    await new Promise<void>((resolve) => service.listen(port, '127.0.0.1', resolve));
    expect((await fetch(at('/a'))).status).toBe(201);
  });
});

describe('the wire before the tables', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ host: false, wires: true });
  });
  afterAll(async () => {
    await stack.stop();
  });

  test('is what the app is given', () => {
    expect(stack.settings['TABLES_ENDPOINT']).toBe(stack.urls.wire);
  });

  test('lets transactions, conflicts, filters and pages of the SDK through', async () => {
    const table = tableClient(stack, 'wired', stack.urls.wire);
    await table.createTable();
    const keys = Array.from({ length: 25 }, (_, index) => `r${String(index).padStart(2, '0')}`);
    const filing = new TableTransaction();
    for (const rowKey of keys) filing.createEntity({ partitionKey: 'p', rowKey, text: 'Größe 日本' });
    expect((await table.submitTransaction(filing.actions)).status).toBe(202);

    const clash = new TableTransaction();
    clash.createEntity({ partitionKey: 'p', rowKey: 'new' });
    clash.createEntity({ partitionKey: 'p', rowKey: 'r00' });
    await expect(table.submitTransaction(clash.actions)).rejects.toMatchObject({ statusCode: 409 });
    await expect(table.getEntity('p', 'new')).rejects.toMatchObject({ statusCode: 404 });

    const { etag } = await table.getEntity('p', 'r00');
    await table.updateEntity({ partitionKey: 'p', rowKey: 'r00', text: 'a' }, 'Replace', { etag });
    await expect(
      table.updateEntity({ partitionKey: 'p', rowKey: 'r00', text: 'b' }, 'Replace', { etag }),
    ).rejects.toMatchObject({ statusCode: 412 });

    const found: string[] = [];
    const pages = table
      .listEntities<{ rowKey: string }>({ queryOptions: { filter: odata`RowKey ge ${'r03'}` } })
      .byPage({ maxPageSize: 10 });
    for await (const page of pages) found.push(...page.map(({ rowKey }) => rowKey));
    expect(found).toEqual(keys.slice(3));

    const recorded = (await (await fetch(`${stack.urls.wireAdmin}/admin/calls`)).json()) as RecordedCall[];
    expect(recorded.filter(({ path }) => path.endsWith('/$batch')).map(({ status }) => status)).toEqual([202, 202]);
    expect(recorded.filter(({ method }) => method === 'PUT').map(({ status }) => status)).toEqual([204, 412]);
  });

  test('loses an answer after the row was written', async () => {
    const table = tableClient(stack, 'lost', stack.urls.wire);
    await table.createTable();
    const rule: FaultRule = { method: 'POST', path: '/lost', times: 1, fault: { kind: 'reset', when: 'after' } };
    await fetch(`${stack.urls.wireAdmin}/admin/faults`, { method: 'POST', body: JSON.stringify(rule) });
    await expect(table.createEntity({ partitionKey: 'p', rowKey: 'r' })).rejects.toThrow();
    await expect(table.getEntity('p', 'r')).resolves.toMatchObject({ rowKey: 'r' });
  });

  test('finds Azurite again after it was killed and started anew', async () => {
    const table = tableClient(stack, 'wired', stack.urls.wire);
    await stack.kill('azurite');
    await expect(table.getEntity('p', 'r00')).rejects.toThrow();
    await stack.restart('azurite');
    await tableClient(stack, 'after', stack.urls.wire).createTable();
  });
});

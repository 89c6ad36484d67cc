import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { openHouse } from './house';
import type { House } from './house';

let house: House;
let port = 0;
beforeAll(async () => {
  house = await openHouse();
  port = Number(new URL(house.site).port);
});
afterAll(() => house.close());

async function bodyOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message) text += String(chunk);
  return text;
}

async function send(options: RequestOptions, body?: string): Promise<{ answer: IncomingMessage; text: string }> {
  const request = httpRequest({ host: '127.0.0.1', port, ...options });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return { answer, text: await bodyOf(answer) };
}

function echo(): void {
  house.host.answer = (request, response) => {
    void bodyOf(request).then((body) => {
      const { method, url, headers, rawHeaders } = request;
      response.end(JSON.stringify({ method, url, headers, rawHeaders, body }));
    });
  };
}

const parse = (text: string) =>
  JSON.parse(text) as { method: string; url: string; headers: Record<string, string>; body: string };

test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
  '%s passes with its body',
  async (method) => {
    echo();
    const headers = { 'content-type': 'text/plain', 'content-length': '4' };
    const { text } = await send({ method, path: '/api/x%2Fy?a=b%20c&a', headers }, 'body');
    expect(parse(text)).toMatchObject({ method, url: '/api/x%2Fy?a=b%20c&a', body: 'body' });
  },
);

test('a chunked DELETE passes with its body', async () => {
  echo();
  const { text } = await send(
    { method: 'DELETE', path: '/api/x', headers: { 'transfer-encoding': 'chunked' } },
    'body',
  );
  expect(parse(text)).toMatchObject({ method: 'DELETE', body: 'body' });
});

test('HEAD has the headers and no body', async () => {
  house.host.answer = (_, response) => {
    response.setHeader('content-length', '1234');
    response.end();
  };
  const { answer, text } = await send({ method: 'HEAD', path: '/api/x' });
  expect([answer.statusCode, answer.headers['content-length'], text]).toEqual([200, '1234', '']);
});

test('status, several cookies and the raw bytes of a compressed body come through', async () => {
  const zipped = gzipSync('hello');
  house.host.answer = (_, response) => {
    response.writeHead(418, 'Short and stout', {
      'set-cookie': ['a=1; Path=/', 'b=2; Path=/'],
      'content-encoding': 'gzip',
      'content-length': zipped.length,
      'keep-alive': 'timeout=99',
      'x-own': 'yes',
    });
    response.end(zipped);
  };
  const request = httpRequest({ host: '127.0.0.1', port, path: '/api/x' }).end();
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).equals(zipped)).toBe(true);
  expect(answer.statusCode).toBe(418);
  expect(answer.headers).toMatchObject({
    'set-cookie': ['a=1; Path=/', 'b=2; Path=/'],
    'content-encoding': 'gzip',
    'x-own': 'yes',
  });
  expect(answer.headers['keep-alive']).not.toBe('timeout=99');
});

test('redirects are passed on, not followed', async () => {
  house.host.answer = (_, response) => response.writeHead(303, { location: '/elsewhere' }).end();
  const { answer } = await send({ path: '/api/x' });
  expect([answer.statusCode, answer.headers.location]).toEqual([303, '/elsewhere']);
});

test('the app sees the public host, and only the front door says where a request came from', async () => {
  echo();
  const host = `localhost:${String(port)}`;
  const headers = {
    host,
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.example',
    'x-original-host': 'evil.example',
    'x-original-url': '/evil',
    'x-forwarded-for': '203.0.113.9',
  };
  const seen = parse((await send({ path: '/api/x', headers })).text).headers;
  expect(seen).toMatchObject({
    host,
    'x-forwarded-proto': 'http',
    'x-forwarded-host': host,
    'x-original-host': host,
    'x-original-url': '/api/x',
    'x-forwarded-for': expect.stringMatching(/^203\.0\.113\.9, 127\.0\.0\.1:\d+$/) as string,
  });
});

test('hop-by-hop headers stop here, and Connection cannot name one of the front door’s away', async () => {
  echo();
  const headers = { connection: 'close, x-drop, x-forwarded-host', 'x-drop': '1', te: 'trailers', 'x-keep': '1' };
  const seen = parse((await send({ path: '/api/x', headers })).text).headers;
  expect(seen).not.toHaveProperty('x-drop');
  expect(seen).not.toHaveProperty('te');
  expect(seen).toHaveProperty('x-keep', '1');
  expect(seen).toHaveProperty('x-forwarded-host');
});

test('both bodies stream: the host answers a chunk before the next one is sent', async () => {
  house.host.answer = (request, response) => {
    request.on('data', (chunk: Buffer) => response.write(`got ${chunk.toString()}`));
    request.on('end', () => response.end('end'));
  };
  const request = httpRequest({ host: '127.0.0.1', port, path: '/api/x', method: 'POST' });
  request.write('one');
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  const [first] = (await once(answer, 'data')) as [Buffer];
  expect(first.toString()).toBe('got one');
  request.write('two');
  const [second] = (await once(answer, 'data')) as [Buffer];
  expect(second.toString()).toBe('got two');
  request.end();
  expect(await bodyOf(answer)).toBe('end');
});

test('an answer that comes before the whole body is passed on, even where the host closes after it', async () => {
  house.host.answer = (_, response) => {
    response.writeHead(413, { 'content-length': '7', connection: 'close' });
    response.end('too big');
  };
  const headers = { 'content-length': '50000000' };
  const request = httpRequest({ host: '127.0.0.1', port, path: '/api/x', method: 'POST', headers });
  request.on('error', () => undefined);
  request.write(Buffer.alloc(1000));
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  expect([answer.statusCode, await bodyOf(answer)]).toEqual([413, 'too big']);
  request.destroy();
});

test('headers arrive before the body begins', async () => {
  let finish = (): void => undefined;
  house.host.answer = (_, response) => {
    response.flushHeaders();
    finish = () => response.end('late');
  };
  const request = httpRequest({ host: '127.0.0.1', port, path: '/api/x' }).end();
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  finish();
  expect(await bodyOf(answer)).toBe('late');
});

test('an answer that breaks off at the host breaks off here', async () => {
  house.host.answer = (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => response.destroy());
  };
  const request = httpRequest({ host: '127.0.0.1', port, path: '/api/x' }).end();
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  await expect(bodyOf(answer)).rejects.toThrow();
});

test('a caller that goes away is noticed at the host', async () => {
  const gone = new Promise<void>((done) => {
    house.host.answer = (_, response) => {
      response.on('close', done);
      response.write('begun');
    };
  });
  const request = httpRequest({ host: '127.0.0.1', port, path: '/api/x' }).end();
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  await once(answer, 'data');
  request.destroy();
  await gone;
});

test('/.auth/ never reaches the host, however it is spelled', async () => {
  const urls: string[] = [];
  house.host.answer = (request, response) => {
    urls.push(request.url ?? '');
    response.end();
  };
  const spellings = [
    '/.auth/x',
    '/.AUTH/me',
    '/%2eauth/me',
    '//.auth/me',
    '/x/../.auth/me',
    '/.auth%2fme',
    '/\\.auth/me',
    '/.auth',
  ];
  for (const path of spellings) {
    const { answer } = await send({ path });
    expect([400, 401, 404]).toContain(answer.statusCode);
  }
  await send({ path: '/.authors' });
  await send({ path: '/admin/host/status' });
  expect(urls).toEqual(['/.authors', '/admin/host/status']);
});

test('a request line with a whole address is refused', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.end('GET http://evil.example/api/x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
});

test('the start page is told which requests have been filed, across restarts', async () => {
  const [first, second, other] = ['1', '2', '3'].map((digit) => digit.repeat(32));
  const answerWith = (status: number, id = ''): void => {
    house.host.answer = (_, response) => {
      response.writeHead(status, { location: `${house.site}/api/join-requests/${id}` }).end();
    };
  };
  const path = '/api/groups/b0000000-0000-4000-8000-000000000001/join-requests';
  answerWith(202, first);
  await send({ method: 'POST', path });
  house.restartFrontDoor();
  answerWith(202, second);
  await send({ method: 'POST', path });
  answerWith(202, other);
  await send({ method: 'GET', path });
  await send({ method: 'POST', path: '/api/elsewhere' });
  answerWith(400, other);
  await send({ method: 'POST', path });
  expect(JSON.parse((await send({ path: '/local/seen' })).text)).toEqual([second, first]);
});

test('/ and /local/ are the start page’s', async () => {
  expect((await send({ path: '/' })).text).toBe('home');
  expect((await send({ path: '/local/x' })).text).toBe('local x');
});

test('without a host the answer is 502 and a sentence; the start page still answers', async () => {
  await send({ path: '/api/x' });
  await house.stopHost();
  const { answer, text } = await send({ path: '/api/x' });
  expect(answer.statusCode).toBe(502);
  expect(text).toBe(
    `The Functions host at http://127.0.0.1:${String(house.upstreamPort)} can't be reached: it is not running, or it is starting. Try again in a moment.\n`,
  );
  const posted = await send({ path: '/api/x', method: 'POST', headers: { 'content-length': '4' } }, 'body');
  expect(posted.answer.statusCode).toBe(502);
  const head = await send({ path: '/api/x', method: 'HEAD' });
  expect([head.answer.statusCode, head.text]).toEqual([502, '']);
  expect((await send({ path: '/' })).text).toBe('home');
});

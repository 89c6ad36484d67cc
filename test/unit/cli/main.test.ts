import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { main } from '../../../cli/main';
import { exitCodeOf } from '../../../cli/failure';
import { retryAfterMs } from '../../../cli/api';
import { differencesOf } from '../../../cli/policy-commands';
import { actorFor } from '../../../cli/local-stack';

// A server that answers as no Gatehouse would, and one that answers as Gatehouse seldom does.
interface Asked {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}
let answer: (asked: Asked, response: ServerResponse) => void;
let asked: Asked[] = [];
let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      asked.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterAll(() => new Promise((done) => server.close(done)));
beforeEach(() => {
  asked = [];
});

const send =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (_asked: Asked, response: ServerResponse): void => {
    const type = status >= 400 ? 'application/problem+json' : 'application/json';
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const id = '0123456789abcdef0123456789abcdef';
const TOKEN = 'eyJ.a-token.x';

async function gatehouse(
  args: string[],
  {
    env = {},
    input = '',
    files = {},
  }: { env?: Record<string, string>; input?: string; files?: Record<string, string> } = {},
) {
  let out = '';
  let told = '';
  const code = await main(args, {
    env: { GATEHOUSE_BASE_URL: base, GATEHOUSE_ACCESS_TOKEN: TOKEN, ...env },
    out: (text) => (out += text),
    tell: (text) => (told += `${text}\n`),
    readInput: () => Promise.resolve(input),
    readFile: (path) => (path in files ? Promise.resolve(files[path]!) : Promise.reject(new Error('ENOENT'))),
    isTerminal: false,
  });
  return { code, out, told };
}

describe('what is wrong with a call is said before anything is sent', () => {
  test.each([
    ['an unknown command', ['dance'], 'There is no command dance'],
    ['half a command', ['policy'], 'policy goes on: policy get'],
    ['a missing argument', ['status'], 'status needs <requestId>.'],
    ['all that is missing', ['decide'], 'decide needs <requestId>, <decision>.'],
    ['a missing option', ['revoke', id], 'revoke needs --reason.'],
    ['an argument too many', ['status', id, 'more'], 'status takes nothing after its 1 arguments: more'],
    ['an unknown option', ['status', id, '--colour'], "Unknown option '--colour'"],
    ['a value that is none of the choices', ['decide', id, 'maybe'], '<decision> is one of approve, deny.'],
    ['a number that is none', ['ops', 'list', '--page-size', 'ten'], '--page-size is a whole number.'],
    ['a path in place of an id', ['status', '..'], '.. is no requestId.'],
    ['a file that is not there', ['policy', 'apply', 'default', '-f', 'none.json'], 'none.json can’t be read'],
    ['no file', ['policy', 'apply', 'default'], 'Name the file'],
    [
      'a dry run of the default policy',
      ['policy', 'apply', 'default', '-f', '-', '--dry-run', 'x'],
      'A dry run is of one group',
    ],
    ['standard input for two things', ['policy', 'apply', 'default', '-f', '-', '--token-stdin'], 'not both'],
    ['--as without --local', ['status', id, '--as', 'olivia'], '--as goes with --local.'],
    ['--timeout without --wait', ['status', id, '--timeout', 'PT1M'], '--timeout goes with --wait.'],
    ['a timeout that is no duration', ['status', id, '--wait', '--timeout', '1m'], 'ISO 8601'],
    ['an unknown shell', ['completion', 'tcsh'], 'There is no completion for tcsh'],
    ['an address without encryption', ['status', id, '--base-url', 'http://gatehouse.example'], 'is not encrypted'],
    ['an address with a password', ['status', id, '--base-url', 'https://a:b@gatehouse.example'], 'is no address'],
    ['a header with a line end', ['request', id, '--idempotency-key', 'a\r\nx: y'], 'visible ASCII'],
    ['an unknown way to sign in', ['status', id, '--sign-in', 'magic', '--scope', 'x'], '--sign-in is one of'],
  ])('%s', async (_what, args, sentence) => {
    const { code, out, told } = await gatehouse(args, { input: '{}' });
    expect(told).toContain(sentence);
    expect({ code, out, asked: asked.length }).toEqual({ code: 2, out: '', asked: 0 });
  });

  test('who does not say what to sign in for', async () => {
    const { code, told } = await gatehouse(['status', id], { env: { GATEHOUSE_ACCESS_TOKEN: '' } });
    expect(code).toBe(2);
    expect(told).toContain('GATEHOUSE_SCOPE');
  });

  test('a token that is none does not get into a header', async () => {
    const { code } = await gatehouse(['status', id], { env: { GATEHOUSE_ACCESS_TOKEN: 'a\r\nx: y' } });
    expect({ code, asked: asked.length }).toEqual({ code: 2, asked: 0 });
  });
});

test('values go where the API’s description says', async () => {
  answer = send(202, { id, state: 'pending' });
  await gatehouse([
    'request',
    'a/b',
    '--user-principal-name',
    'rita@contoso.example',
    '--duration=P30D',
    '--idempotency-key',
    'k1',
  ]);
  expect(asked).toMatchObject([
    {
      method: 'POST',
      url: '/api/groups/a%2Fb/join-requests',
      headers: { authorization: `Bearer ${TOKEN}`, 'idempotency-key': 'k1', 'content-type': 'application/json' },
    },
  ]);
  expect(JSON.parse(asked[0]!.body)).toEqual({ userPrincipalName: 'rita@contoso.example', duration: 'P30D' });
});

test('a token from standard input is used, whatever the environment holds', async () => {
  answer = send(200, { id });
  expect((await gatehouse(['status', id, '--token-stdin'], { input: 'other.token\n' })).code).toBe(0);
  expect(asked[0]!.headers.authorization).toBe('Bearer other.token');
});

test('health is asked without signing in', async () => {
  answer = send(200, { status: 'ready' });
  expect(await gatehouse(['health'], { env: { GATEHOUSE_ACCESS_TOKEN: '' } })).toMatchObject({
    code: 0,
    out: 'status  ready\n',
  });
  expect(asked[0]!.headers.authorization).toBeUndefined();
});

test('what is not ready is shown, and the exit code says to try later', async () => {
  answer = (_asked, response) => {
    response.writeHead(503, { 'content-type': 'application/json' });
    response.end('{"status":"not-ready"}');
  };
  expect(await gatehouse(['health'])).toMatchObject({ code: 6, out: 'status  not-ready\n' });
});

describe('a problem', () => {
  const problem = {
    type: 'https://gatehouse.example/problems/bad-request',
    title: 'The request has errors',
    status: 400,
    detail: 'Both.',
    errors: [
      { pointer: '/userId', detail: 'Give the object id of the person.' },
      { pointer: '', detail: 'And 3 more errors.' },
    ],
    correlationId: 'c-1',
  };

  test('is told on standard error, its fields by the names of the options', async () => {
    answer = send(400, problem);
    expect(await gatehouse(['request', 'g', '--user-id', 'x'])).toEqual({
      code: 2,
      out: '',
      told: 'The request has errors\n  --user-id: Give the object id of the person.\n  And 3 more errors.\nCorrelation id: c-1\n',
    });
  });

  test('is standard output as it is with --json', async () => {
    answer = send(400, problem);
    const { out } = await gatehouse(['request', 'g', '--json']);
    expect(JSON.parse(out)).toEqual(problem);
  });

  test('says when to try again', async () => {
    answer = send(429, { title: 'Not so often', detail: 'Later.' }, { 'retry-after': '7' });
    const { code, told } = await gatehouse(['nudge', id]);
    expect(code).toBe(6);
    expect(told).toBe('Not so often\n  Later.\nTry again in 7 seconds.\n');
  });
});

test.each([
  [200, 0],
  [202, 0],
  [400, 2],
  [401, 3],
  [403, 3],
  [404, 4],
  [409, 5],
  [412, 5],
  [422, 5],
  [428, 5],
  [429, 6],
  [500, 1],
  [502, 6],
  [503, 6],
  [504, 6],
  [418, 1],
])('an answer of %s is exit code %s', (status, code) => {
  expect(exitCodeOf(status)).toBe(code);
});

describe('who is not Gatehouse', () => {
  test('gets no token by pointing somewhere else', async () => {
    answer = (_asked, response) => {
      response.writeHead(302, { location: `${base}/elsewhere` });
      response.end();
    };
    expect(await gatehouse(['status', id])).toMatchObject({ code: 1 });
    expect(asked).toHaveLength(1);
  });

  test('is told apart by what it answers', async () => {
    answer = (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<h1>Welcome</h1>');
    };
    const { code, told, out } = await gatehouse(['status', id]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(told).toContain('is it the address of Gatehouse?');
  });

  test('that does not answer is exit code 6', async () => {
    const { code, told } = await gatehouse(['status', id, '--base-url', 'http://127.0.0.1:1']);
    expect(code).toBe(6);
    expect(told).toContain('can’t be reached');
  });

  test('can send no later page to another address', async () => {
    answer = (one, response) => {
      const isFirst = !one.url.includes('after');
      send(200, {
        value: [{ id: isFirst ? 'one' : 'two' }],
        ...(isFirst && { nextLink: 'https://evil.example/api/ops/requests?pageSize=1&after=x%26y' }),
      })(one, response);
    };
    const { code, out } = await gatehouse(['ops', 'list', '--all', '--page-size', '1']);
    expect(code).toBe(0);
    expect(asked.map(({ url }) => url)).toEqual([
      '/api/ops/requests?pageSize=1',
      '/api/ops/requests?pageSize=1&after=x%26y',
    ]);
    expect(out).toMatch(/one[^]*two/);
  });
});

describe('policy apply', () => {
  const present = { policy: { optedIn: false, warnings: ['P7D'] }, version: 'group@3' };
  const reading = { etag: '"3"' };

  test('sends the ETag of what it read, and says what is different', async () => {
    answer = (one, response) =>
      send(200, one.method === 'GET' ? present : { policy: {}, version: 'group@4' }, reading)(one, response);
    const { code, told } = await gatehouse(['policy', 'apply', 'g', '-f', 'p.json'], {
      files: { 'p.json': '{"optedIn":true,"warnings":["P7D"]}' },
    });
    expect(code).toBe(0);
    expect(told).toContain('- optedIn: false\n+ optedIn: true\n');
    expect(told).not.toContain('warnings');
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'PUT']);
    expect(asked[1]).toMatchObject({ url: '/api/groups/g/policy', headers: { 'if-match': '"3"' } });
    expect(JSON.parse(asked[1]!.body)).toEqual({ optedIn: true, warnings: ['P7D'] });
  });

  test('takes an answer of policy get as it was saved, and what Gatehouse says of a file that is no policy', async () => {
    answer = (one, response) =>
      one.method === 'GET'
        ? send(200, present, reading)(one, response)
        : send(400, { title: 'The request has errors', errors: [{ pointer: '/nonsense', detail: 'Remove it.' }] })(
            one,
            response,
          );
    const files = { 'p.json': JSON.stringify({ ...present, policy: { nonsense: 1 } }) };
    const { code, told } = await gatehouse(['policy', 'apply', 'g', '-f', 'p.json'], { files });
    expect(code).toBe(2);
    expect(told).toContain('/nonsense: Remove it.');
    expect(JSON.parse(asked[1]!.body)).toEqual({ nonsense: 1 });
  });

  test('does not read the group where the default was asked for', async () => {
    answer = send(200, present, reading);
    await gatehouse(['policy', 'get', 'default']);
    expect(asked[0]!.url).toBe('/api/policies/default');
  });
});

test('differences are told value by value', () => {
  expect(differencesOf({ a: 1, b: [{ c: 'x' }], d: [] }, { a: 1, b: [{ c: 'y' }, { c: 'z' }] })).toEqual([
    '- b[0].c: x',
    '+ b[0].c: y',
    '- d: []',
    '+ b[1].c: z',
  ]);
});

test('Retry-After is read in seconds and as a date', () => {
  const after = (value: string) => ({ headers: new Headers({ 'retry-after': value }) });
  expect(retryAfterMs(after('3'))).toBe(3_000);
  expect(retryAfterMs(after('Tue, 24 Nov 2026 08:00:10 GMT'), Date.parse('2026-11-24T08:00:00Z'))).toBe(10_000);
  expect(retryAfterMs(after('Tue, 24 Nov 2026 08:00:10 GMT'), Date.parse('2026-11-24T09:00:00Z'))).toBe(0);
  expect(retryAfterMs(after('soon'))).toBeUndefined();
  expect(retryAfterMs({ headers: new Headers() })).toBeUndefined();
});

test.each([
  [['Requests.Submit'], { kind: 'app', alias: 'hrPortal' }],
  [['Policy.Manage'], { kind: 'app', alias: 'adminTool' }],
  [['Audit.Read'], { kind: 'person', alias: 'aude' }],
])('with --local alone, whoever has %s', (roles, actor) => {
  expect(actorFor(undefined, roles)).toEqual(actor);
  expect(actorFor('olivia', roles)).toEqual({ kind: 'person', alias: 'olivia' });
});

test('with --local a decision needs a person', () => {
  expect(() => actorFor(undefined, [])).toThrow('--as olivia');
  expect(() => actorFor('nobody', [])).toThrow('no nobody');
});

import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { groups } from '../../../local/demo-tenant';
import { readReport, ReportFailed } from '../../../local/report/client';
import { built } from '../../../local/stack/paths';
import { portsFrom } from '../../../local/stack/ports';
import { passedEnvironment, startStack } from '../../../local/stack/stack';
import type { Stack } from '../../../local/stack/stack';
import { repository } from './tools';

jest.setTimeout(120_000);

const PORT_BASE = 12_000 + Math.floor((Math.random() * 7_000) / 20) * 20;
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ ports: portsFrom(PORT_BASE) });
});
afterEach(() => fetch(`${stack.urls.directory}/admin/faults`, { method: 'DELETE' }));
afterAll(() => stack.stop());

const fault = (rule: object): Promise<Response> =>
  fetch(`${stack.urls.directory}/admin/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rule),
  });
/** Graph refuses one page of the groups, once. */
const oneRefusal = (skip: number): object => ({
  path: '/v1\\.0/groups\\?',
  skip,
  times: 1,
  fault: { kind: 'answer', status: 403, body: '{"error":{"code":"Authorization_RequestDenied","message":"no"}}' },
});

interface Result {
  code: number | null;
  out: string;
  err: string;
}

function report(...args: string[]): Promise<Result> {
  return run([...args, '--port-base', String(PORT_BASE)]);
}

function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Result> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--', built('commands/report.js'), ...args],
    { cwd: repository, env: { ...passedEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) =>
    child.once('close', (code) => {
      resolve({ code, out, err });
    }),
  );
}

const ids = (): string[] =>
  Object.values(groups)
    .map(({ id }) => id)
    .toSorted();
const idsIn = (value: { id: string }[]): string[] => value.map(({ id }) => id).toSorted();

test('without a setting the local stack is read: a table, what the rules say, the exit criteria, the announcement', async () => {
  const { code, out, err } = await report();
  expect(code).toBe(0);
  const lines = out.split('\n');
  expect(lines[0]).toMatch(/^KIND +OWNERS +MEMBERS +SELF-SERVICE +NAME +RULE$/);
  expect(lines.find((line) => line.includes(groups.synced.displayName))).toMatch(
    /^security .* impossible .* group-is-synchronised$/,
  );
  expect(lines.find((line) => line.includes(groups.twoOwnersOneGuest.displayName))).toMatch(/^security +1\/2 +2 +yes /);
  expect(out).toContain('What would change it: Move its source of authority to the cloud');
  expect(out.match(/^ {2}\[[ x]\] /gm)).toHaveLength(4);
  expect(out).toContain('Subject: You decide who joins your groups');
  // names are somebody else's text: none of them turns the direction of the terminal
  expect(out).not.toMatch(/[\u202a-\u202e\u001b]/);
  expect(err).toMatch(/^\d+ of \d+ groups, /m);
});

test('what breaks off is gone on with by itself: JSON holds every group once, and is complete', async () => {
  await fault(oneRefusal(2));
  await fault(oneRefusal(3));
  const { code, out, err } = await report('--json', '--page-size', '5');
  expect([code, err.match(/: going on in \d+ s/g)?.length]).toEqual([0, 2]);
  const document = JSON.parse(out) as {
    value: { id: string }[];
    complete: boolean;
    totals: { groups: number };
    checklist: { evidence: string }[];
  };
  expect(idsIn(document.value)).toEqual(ids());
  expect([document.complete, document.totals.groups]).toEqual([true, ids().length]);
  expect(document.checklist[0]?.evidence).toContain(`Of ${String(ids().length)} groups`);
});

test('CSV goes to stdout alone', async () => {
  const { code, out } = await report('--csv', '--no-members');
  expect(code).toBe(0);
  const rows = out.trimEnd().split('\r\n');
  expect(rows[0]).toMatch(/^\ufeff"id","displayName"/);
  expect(rows).toHaveLength(1 + ids().length);
});

test('what another attempt would not mend ends with a sentence and code 1', async () => {
  await fault({
    path: '/v1\\.0/groups\\?',
    fault: {
      kind: 'answer',
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: '{"error":{"code":"Directory_ExpiredPageToken","message":"expired"}}',
    },
  });
  const { code, err, out } = await report();
  expect([code, out]).toEqual([1, '']);
  expect(err).toMatch(/The report could not be read to its end\. No report, it answered 410: Too much time has passed/);
});

test.each([
  [['--csv', '--json'], {}, /--csv or --json, not both/],
  [['--page-size', '0'], {}, /--page-size must be a number from 1 to 999/],
  [['--port-base', '19900'], {}, /No local stack answers at http:\/\/localhost:19902: run "npm start"/],
  [[], { GATEHOUSE_BASE_URL: 'http://gatehouse.example' }, /must be an https URL[^]*GATEHOUSE_CLIENT_ID must be/],
])('%j with %j is told what to mend', async (args, env, sentence) => {
  const { code, err } = await run(args, env);
  expect([code, err]).toEqual([1, expect.stringMatching(sentence)]);
});

describe('against a server that answers', () => {
  const head = { at: '2026-11-24T08:00:00Z', groups: 1, defaultPolicy: 'setting', off: [] };
  const asked: string[] = [];
  /** Reads the report of a server that answers so; the messages of the attempts, then what it ended with. */
  async function against(answer: (response: ServerResponse, call: number) => void): Promise<string[]> {
    asked.splice(0);
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      answer(response, asked.length);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const told: string[] = [];
    try {
      const source = {
        baseUrl: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
        token: () => Promise.resolve('x'),
      };
      for await (const part of readReport(source, { members: true, onRetry: (why) => told.push(why) }))
        told.push(Object.keys(part).join());
    } catch (error) {
      told.push(error instanceof ReportFailed ? error.message : `not told: ${String(error)}`);
    } finally {
      server.close();
    }
    return told;
  }

  test('unavailable time and again, it is given up', async () => {
    const told = await against((response) => response.writeHead(503, { 'retry-after': '0.01' }).end());
    expect(told).toEqual([...new Array<string>(5).fill('it answered 503'), 'it answered 503, 6 times in a row.']);
  });

  test('with what is not the report, or half a line, the rest is asked for again', async () => {
    const told = await against((response, call) => {
      if (call > 2) response.writeHead(403).end('{"detail":"Not you."}');
      else if (call === 1) response.end(`${JSON.stringify({ head })}\n{"group":{"id":`);
      else response.end('<html>\n');
    });
    expect(told).toEqual([
      'head',
      'the answer broke off',
      'a line came that is not of the report',
      'No report, it answered 403: Not you.',
    ]);
  });
});

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClock } from '../../../../local/clock/clock';
import { people } from '../../../../local/demo-tenant';
import { openSeenRequests } from '../../../../local/front-door/seen-requests';
import { openDatabase } from '../../../../local/front-door/sessions';
import { createHome } from '../../../../local/stack/home';
import { portsFrom } from '../../../../local/stack/ports';
import { urlsOf } from '../../../../local/stack/settings';
import { readRequest, readRequests } from '../../../../local/stack/timeline';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-home-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const urls = urlsOf(portsFrom(7070));
const clock = openClock(join(folder, 'clock'));
const tokensAsked: string[] = [];
const home = createHome({
  urls,
  clock,
  operatorToken: () => {
    tokensAsked.push('');
    return Promise.reject(new Error('nobody here'));
  },
});
const get = (path: string): Response | Promise<Response> => home.request(`${urls.frontDoor}${path}`);

const request = {
  id: 'abc123',
  state: 'pending',
  group: { id: 'g', name: '<b>Design</b>' },
  requester: { id: people.rita.id, name: 'Rita' },
  filedAt: '2026-11-24T10:00:00.000Z',
  stage: { number: 1, of: 2, required: 2, approvals: 1 },
  waitingFor: { what: 'decision', sentence: 'a decision' },
  timeline: [
    {
      seq: 1,
      at: '2026-11-24T10:00:00.000Z',
      event: 'filed',
      text: 'It was filed.',
      by: { kind: 'app', id: 'gatehouse' },
    },
    {
      seq: 2,
      at: '2026-11-24T10:05:00.000Z',
      event: 'vote-recorded',
      text: 'Olivia approved.',
      by: { kind: 'person', id: people.olivia.id },
    },
  ],
};

describe('the start page', () => {
  test('has no script, and a policy that allows its own style and nothing else', async () => {
    const answer = await get('/');
    const page = await answer.text();
    const style = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(answer.headers.get('content-security-policy')).toContain(`default-src 'none'; style-src 'sha256-${hash}';`);
    expect(page).not.toMatch(/<script|<[^>]*\son\w+=|javascript:/i);
  });

  test('escapes the names of the demo tenant', async () => {
    const page = await (await get('/')).text();
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(page).not.toContain('<img');
  });

  test('shows the stack’s time', async () => {
    clock.stop();
    clock.set(new Date('2033-03-04T05:06:07Z'));
    expect(await (await get('/')).text()).toContain(
      '<time datetime="2033-03-04T05:06:07.000Z">2033-03-04 05:06:07 UTC</time>',
    );
  });
});

describe('the requests', () => {
  test('ask no other place than the app for its list', async () => {
    for (const next of [
      'https://elsewhere.example/api/ops/requests',
      '//elsewhere.example/api/ops/requests',
      '/api/other',
      'http://',
    ]) {
      expect((await get(`/local/requests?next=${encodeURIComponent(next)}`)).status).toBe(400);
    }
    expect(tokensAsked).toHaveLength(0);
  });

  test.each(['..', 'a b', '%2e%2e%2fops', 'nonsense', 'a'.repeat(33)])('have no id like %s', async (id) => {
    const answer = await get(`/local/requests?id=${id}`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('32 hexadecimal digits');
  });

  test('say that the app does not answer', async () => {
    const answer = await get('/local/requests');
    expect(answer.status).toBe(502);
    expect(await answer.text()).toContain('does not answer at this moment');
  });
});

describe('the list of requests', () => {
  test('shows finished ones too, newest first, and keeps in mind those it saw open', async () => {
    const [open, first, second] = ['a', 'b', 'c'].map((digit) => digit.repeat(32)) as [string, string, string];
    const states: Record<string, string> = { [open]: 'pending', [first]: 'denied', [second]: 'granted' };
    const about = (id: string): object => ({ ...request, id, state: states[id], requester: { id, name: `Who ${id}` } });
    const app = createServer((asked, answer) => {
      const id = asked.url?.split('/').at(-1) ?? '';
      answer.end(JSON.stringify(asked.url?.startsWith('/api/ops/') ? { value: [about(open)] } : about(id)));
    }).listen(0, '127.0.0.1');
    await once(app, 'listening');
    const host = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
    const working = createHome({ urls: { ...urls, host }, clock, operatorToken: () => Promise.resolve('t') });
    const db = openDatabase(':memory:');
    const seen = openSeenRequests(db);
    for (const id of [first, second, first]) seen.add(id);
    const page = await (await working.request(`${urls.frontDoor}/local/requests`, {}, { seen })).text();
    const order = [...page.matchAll(/href="\/local\/requests\/([0-9a-f]{32})"/g)].map(([, id]) => id);
    expect(order).toEqual([open, second, first]);
    expect(page).toMatch(/granted/);
    expect(seen.latest(10)).toEqual([open, second, first]);
    db.close();
    app.close();
  });
});

describe('the clock’s form', () => {
  const post = (headers: { origin?: string }, move = 'PT1H'): Response | Promise<Response> =>
    home.request(`${urls.frontDoor}/local/clock`, { method: 'POST', headers, body: new URLSearchParams({ move }) });

  test('counts only from the start page itself', async () => {
    const before = clock.now().getTime();
    for (const headers of [{}, { origin: 'null' }, { origin: 'http://localhost:7074' }])
      expect((await post(headers)).status).toBe(403);
    expect(clock.now().getTime()).toBe(before);
    expect((await post({ origin: urls.frontDoor })).status).toBe(303);
    expect(clock.now().getTime()).toBe(before + 3_600_000);
  });

  test('knows the moves it offers and no other', async () => {
    expect((await post({ origin: urls.frontDoor }, 'P100Y')).status).toBe(400);
    expect((await post({ origin: urls.frontDoor }, 'toString')).status).toBe(400);
  });
});

describe('what the app says of requests', () => {
  test('is read from the list, passing over what is no request', () => {
    expect(readRequests({ value: [request, null, { state: 'x' }], nextLink: 'http://next' })).toEqual({
      requests: [
        { id: 'abc123', state: 'pending', group: '<b>Design</b>', requester: 'Rita', filedAt: request.filedAt },
      ],
      next: 'http://next',
    });
    for (const body of [undefined, [], 'text', {}])
      expect(readRequests(body)).toEqual({ requests: [], next: undefined });
  });

  test('is read from a request with its timeline, naming who did what', () => {
    const details = readRequest(request);
    expect(details?.timeline.map(({ by, text }) => [by, text])).toEqual([
      ['Gatehouse', 'It was filed.'],
      [people.olivia.displayName, 'Olivia approved.'],
    ]);
    expect(details?.facts).toContainEqual(['Stage', '1 of 2; 1 of 2 approvals']);
  });

  test('has durations in words, and characters that would turn the text about spelt out', () => {
    const details = readRequest({
      ...request,
      duration: 'PT1S',
      justification: 'for \u202Eevil\u202C\u0007\nPARTY',
      timeline: [{ ...request.timeline[0], text: 'Until then P1DT12H, P2W, not P30 or APT1H.' }],
    });
    expect(details?.facts).toContainEqual(['Asked for', '1 second']);
    expect(details?.facts).toContainEqual(['Reason given', 'for ⟨U+202E⟩evil⟨U+202C⟩⟨U+0007⟩\nPARTY']);
    expect(details?.timeline[0]?.text).toBe('Until then 1 day 12 hours, 2 weeks, not P30 or APT1H.');
  });

  test('may lack or change anything but the id', () => {
    expect(readRequest({ id: 'x', timeline: 'none', stage: 3, approvers: {} })).toMatchObject({
      id: 'x',
      timeline: [],
    });
    expect(readRequest({ state: 'pending' })).toBeUndefined();
  });
});

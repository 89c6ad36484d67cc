import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClock } from '../../../../local/clock/clock';
import { people } from '../../../../local/demo-tenant';
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

  test.each(['..', 'a b', '%2e%2e%2fops', 'x'.repeat(101)])('have no id like %s', async (id) => {
    expect((await get(`/local/requests?id=${id}`)).status).toBe(400);
  });

  test('say that the app does not answer', async () => {
    const answer = await get('/local/requests');
    expect(answer.status).toBe(502);
    expect(await answer.text()).toContain('does not answer at this moment');
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

  test('may lack or change anything but the id', () => {
    expect(readRequest({ id: 'x', timeline: 'none', stage: 3, approvers: {} })).toMatchObject({
      id: 'x',
      timeline: [],
    });
    expect(readRequest({ state: 'pending' })).toBeUndefined();
  });
});

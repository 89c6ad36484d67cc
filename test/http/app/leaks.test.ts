import { randomUUID } from 'node:crypto';

import { groups, people, tenant } from '../../../local/demo-tenant';
import { asPersonWithToken, asSystem, linkIn, mailsTo, mintToken, signIn } from '../../../local/stack/actors';
import { ROLES } from '../../../shared/web/tokens';
import { openHouse } from '../../workflow/house';
import type { House } from '../../workflow/house';
import {
  SECRETS,
  durableRowsKept,
  found,
  hearAnswers,
  keysOfHost,
  literally,
  mailsSent,
  rowsKept,
  secretsOf,
} from '../../workflow/said';
import type { Patterns, Said } from '../../workflow/said';
import { tableClient } from '../stack/tools';

const ADDRESS = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/;
const NAMES = ['rita', 'olivia', 'omar', 'mona', 'hugo'] as const;

let house: House;
const answers: Said[] = [];
const lines: string[] = [];
const links: string[] = [];
const ids: string[] = [];
beforeAll(async () => {
  house = await openHouse({ wires: true, onLog: (part, line) => part === 'host' && lines.push(line) });
  const hearNoMore = hearAnswers(house.stack.urls, (said) => answers.push(said));
  await live();
  await hearNoMore();
});
afterAll(() => house.stop());

async function ask(
  group: string,
  person: 'rita' | 'mona' | 'hugo',
  more: Record<string, unknown> = {},
): Promise<string> {
  const { json, text } = await house.system.call('POST', `/api/groups/${group}/join-requests`, {
    userId: people[person].id,
    justification: `${people[person].displayName.replaceAll(/[<>]/g, '')} needs it.`,
    ...more,
  });
  const { id } = json as { id?: string };
  if (id === undefined) throw new Error(text);
  await house.until(id, ({ waitingFor }) => waitingFor?.what === 'decision');
  const mail = (await mailsTo(house.stack.urls, 'olivia')).find(({ plainText }) => plainText?.includes(id));
  if (mail !== undefined) links.push(linkIn(mail).slice(-22));
  ids.push(id);
  return id;
}

/** What happens in a house: every kind of answer, mail, log line and row that one has. */
async function live(): Promise<void> {
  const { urls } = house.stack;
  const group = randomUUID();
  await house.change({
    type: 'createGroup',
    group: { id: group, displayName: 'Leaks', mailNickname: 'leaks', owners: [people.olivia.id, people.omar.id] },
  });
  const [rita, olivia, operations, admin] = await Promise.all([
    asPersonWithToken(urls, 'rita'),
    asPersonWithToken(urls, 'olivia'),
    asSystem(urls, 'opsTool'),
    asSystem(urls, 'adminTool'),
  ]);
  const policy = { optedIn: true, maximumDuration: 'P90D', stages: [{ reminders: ['P1D'], deadline: 'P30D' }] };
  await admin.call('PUT', `/api/groups/${group}/policy`, policy, { 'if-match': '"none"' });

  const approved = await ask(group, 'rita', { duration: 'P30D' });
  const denied = await ask(group, 'mona');
  const waiting = await ask(group, 'hugo');
  for (const path of ['/api/ops/requests', '/api/openapi.json', `/api/groups/${group}/policy/versions`, '/api/health'])
    for (const caller of [operations, admin, rita]) await caller.call('GET', path);

  // refused: tokens, bodies, people, groups
  const wrong = [
    await mintToken(urls, { app: 'hrPortal', expiresIn: -3_600 }),
    await mintToken(urls, { app: 'hrPortal', key: 'foreign' }),
    'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.',
  ];
  for (const token of wrong)
    await fetch(`${urls.frontDoor}/api/join-requests/${approved}?code=x`, {
      headers: { authorization: `Bearer ${token}`, 'x-ms-client-principal': token },
    });
  await house.file('ownerless', 'rita');
  await house.file('design', 'gus');
  await house.system.call('POST', `/api/groups/${group}/join-requests`, `{"userId":"${people.rita.mail ?? ''}`);
  await house.system.call('POST', `/api/groups/${group}/join-requests`, { userPrincipalName: people.rita.mail, x: 1 });
  await rita.call('POST', `/api/join-requests/${denied}/withdraw`);
  await rita.call('POST', `/api/join-requests/${approved}/decision`, { decision: 'approve' });

  // pages, before and after signing in, of one's own and of others
  for (const link of links) await fetch(`${urls.frontDoor}/api/decisions/${link}?choice=approve`);
  for (const person of ['olivia', 'rita'] as const) {
    const { browser } = await signIn(urls, person);
    for (const link of links) await browser.get(`/api/decisions/${link}?choice=deny`);
    for (const id of ids) for (const page of ['requests', 'memberships']) await browser.get(`/api/${page}/${id}`);
    await browser.post(`/api/decisions/${String(links[0])}`, { decision: 'approve', comment: '', token: 'x' });
  }
  await house.decide(approved, 'olivia', 'approve');
  await olivia.call('POST', `/api/join-requests/${denied}/decision`, {
    decision: 'deny',
    comment: 'Not now, Mona Abdi.',
  });
  await Promise.all([house.untilTold(approved), house.untilTold(denied)]);
  await rita.call('POST', `/api/join-requests/${approved}/let-lapse`);
  await rita.call('POST', `/api/join-requests/${approved}/leave`);

  // mail that did not arrive
  const eventGrid = await mintToken(urls, { app: 'noRoles', claims: { roles: [ROLES.mailEvents] } });
  const [sent] = await mailsTo(urls, 'rita');
  const data = { messageId: sent?.operationId, recipient: people.rita.mail, status: 'Bounced' };
  for (const event of [{ ...data }, { ...data, status: 7 }])
    await fetch(`${urls.frontDoor}/api/hooks/mail-delivery`, {
      method: 'POST',
      headers: { authorization: `Bearer ${eventGrid}`, 'content-type': 'application/json' },
      body: JSON.stringify([
        { id: '1', eventType: 'Microsoft.Communication.EmailDeliveryReportReceived', data: event },
      ]),
    });

  // each service fails in each way
  const rows = { path: '/(requests|links)', method: 'GET' };
  for (const fault of [
    { kind: 'answer', status: 500, body: 'no' },
    { kind: 'answer', status: 403, body: '{"odata.error":{"code":"AuthorizationFailure","message":{"value":"no"}}}' },
    { kind: 'answer', status: 200, body: JSON.stringify({ json: `{"requester":"${people.rita.displayName}` }) },
    { kind: 'garbage' },
    { kind: 'reset', when: 'before' },
  ]) {
    await house.fault('tables', { ...rows, fault });
    await fetchAll(group, waiting, rita, olivia);
    await house.clearFaults();
    await house.fault('directory', { fault: fault.kind === 'answer' ? { ...fault, status: 403 } : fault });
    await fetchAll(group, waiting, rita, olivia);
    await house.clearFaults();
  }
  await house.fault('mail', { fault: { kind: 'reset', when: 'before' }, times: 2 });
  await olivia.call('POST', `/api/join-requests/${waiting}/decision`, { decision: 'deny' });
  await house.untilTold(waiting);
}

async function fetchAll(
  group: string,
  id: string,
  rita: Awaited<ReturnType<typeof asPersonWithToken>>,
  olivia: Awaited<ReturnType<typeof asPersonWithToken>>,
): Promise<void> {
  await Promise.all([
    olivia.call('GET', `/api/join-requests/${id}`),
    olivia.call('GET', `/api/decisions/${links.at(-1) ?? ''}`),
    olivia.call('GET', `/api/requests/${id}`),
    rita.call('POST', `/api/groups/${group}/join-requests`, { justification: 'x' }),
  ]);
}

const secrets = (): Patterns => secretsOf(house.stack);
const personal = (): Patterns => ({
  'an address': ADDRESS,
  ...Object.fromEntries(NAMES.map((alias) => [`the name of ${alias}`, literally(people[alias].displayName)])),
  'a justification': /needs it\./,
});
const linkIds = (): Patterns => Object.fromEntries(links.map((link, n) => [`link ${String(n)}`, literally(link)]));
const logged = (): Said[] => lines.map((text, n) => ({ where: `line ${String(n)} of the host's log`, text }));

test('no answer, to whomever, holds a key, a management address or a token', () => {
  expect([...new Set(answers.map(({ where }) => /answer (\d+)/.exec(where)?.[1]))]).toEqual(
    expect.arrayContaining(['200', '202', '303', '400', '401', '403', '404', '409', '500', '503']),
  );
  expect(keysOfHost(house.stack).length).toBeGreaterThanOrEqual(3);
  expect(found(answers, secrets())).toEqual([]);
});

test('an answer that is no page of the person themselves holds no link of a mail', () => {
  const others = answers.filter(({ where }) => !/\/api\/decisions\//.test(where));
  expect(others.length).toBeGreaterThan(50);
  expect(found(others, linkIds())).toEqual([]);
});

test('no mail, in text, HTML or header, holds a key, a management address or a token, or a link of somebody else', async () => {
  const mails = await mailsSent(house.stack.urls);
  expect(mails.length).toBeGreaterThan(8);
  expect(found(mails, secrets())).toEqual([]);
  const holders = links.map((link) => mails.filter(({ text }) => text.includes(link)));
  for (const each of holders)
    expect([...new Set(each.map(({ text }) => (JSON.parse(text) as { to: string[] }).to.join()))]).toEqual([
      `olivia@${tenant.domain}`,
    ]);
});

test('no line of the log holds a key, a management address, a token or a link of a mail', () => {
  expect(lines.filter((line) => /\berror\b/.test(line)).length).toBeGreaterThan(5);
  expect(found(logged(), { ...secrets(), ...linkIds() })).toEqual([]);
});

test('no line of the log names a person, an address or a reason', () => {
  expect(found(logged(), personal())).toEqual([]);
});

test('a correlation id that is no plain token is replaced', async () => {
  const given = ['plain-1.x_Y', 'two words', '2026-11-24T00:00:00Z error Host all is well', 'x'.repeat(65), '"}'];
  const answered = await Promise.all(
    given.map(async (id) => {
      const response = await fetch(`${house.stack.urls.frontDoor}/api/health`, {
        headers: { 'x-correlation-id': id },
      });
      return response.headers.get('x-correlation-id') === id;
    }),
  );
  expect(answered).toEqual([true, false, false, false, false]);
  expect(lines.filter((line) => line.includes('all is well'))).toEqual([]);
});

test('no row of any table holds a key, a management address or a token', async () => {
  const rows = await rowsKept(house.stack);
  expect(new Set(rows.map(({ where }) => where.split(/[ ,]/)[1])).size).toBeGreaterThanOrEqual(7);
  expect(found(rows, secrets())).toEqual([]);
});

test('the durable store holds ids and times only: no name, no address, no reason, no link, no token', () => {
  const store = durableRowsKept(house.stack);
  expect(store.filter(({ where }) => where === 'durable history').length).toBeGreaterThan(20);
  expect(store.some(({ text }) => text.includes(String(ids[0])))).toBe(true);
  expect(found(store, { ...SECRETS, ...personal(), ...linkIds() })).toEqual([]);
});

test('what is looked for is found where it stands', () => {
  const planted: Said[] = [
    'https://x/runtime/webhooks/durabletask/instances/1?taskHub=a&code=b',
    'authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln',
    'DefaultEndpointsProtocol=https;AccountKey=abc',
  ].map((text) => ({ where: 'here', text }));
  expect(found(planted, SECRETS)).toHaveLength(Object.keys(SECRETS).length);
  expect(
    found([{ where: 'here', text: `mail to ${people.rita.mail ?? ''} ${people.hugo.displayName}` }], personal()),
  ).toHaveLength(2);
  expect(found([{ where: 'here', text: links.join() }], linkIds())).toHaveLength(links.length);
  expect(groups.design.id).not.toMatch(ADDRESS);
});

test('a house in which anything got out fails its suite at its end', async () => {
  const leaky = await openHouse();
  // the app makes its tables when it needs them
  await leaky.filed('marketing', 'ravi');
  await tableClient(leaky.stack, 'requests').createEntity({
    partitionKey: 'x_leak',
    rowKey: 'state',
    json: '{"link":"https://x/runtime/webhooks/durabletask"}',
  });
  leaky.hear({ where: 'a page', text: '<a href="/api/health?code=x">' });
  await expect(leaky.stop()).rejects.toThrow(
    /a key in an address in a page: .*\nan address of the durable extension in table requests, row x_leak\/state: /,
  );
});

import { randomUUID } from 'node:crypto';

import { people, userPrincipalNameOf } from '../../../local/demo-tenant';
import type { PersonAlias } from '../../../local/demo-tenant';
import { asSystem, hiddenField, mailsTo, signIn } from '../../../local/stack/actors';
import type { Browser, SystemActor } from '../../../local/stack/actors';
import { tableClient } from '../stack/tools';
import { openHouse } from '../../workflow/house';
import type { House } from '../../workflow/house';

/** The operations page as Otto sees it, who has the role, and as others do. */
let house: House;
let otto: Browser;
let ops: SystemActor;
let group: string;
let ritas: string;
let ravis: string;

const newGroup = async (displayName: string, owners: PersonAlias[]): Promise<string> => {
  const id = randomUUID();
  const mailNickname = `page-${id.slice(0, 8)}`;
  const ids = owners.map((alias) => people[alias].id);
  await house.change({ type: 'createGroup', group: { id, displayName, mailNickname, owners: ids } });
  return id;
};
const filed = async (groupId: string, person: PersonAlias): Promise<string> => {
  const body = { userId: people[person].id, justification: 'I <b work with them & theirs.' };
  const { status, json, text } = await house.system.call('POST', `/api/groups/${groupId}/join-requests`, body);
  if (status !== 202) throw new Error(text);
  const { id } = json as { id: string };
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  return id;
};

beforeAll(async () => {
  house = await openHouse();
  ops = await asSystem(house.stack.urls, 'opsTool');
  otto = (await signIn(house.stack.urls, 'otto')).browser;
  group = await newGroup('Paper & Ink', ['olivia', 'omar']);
  ritas = await filed(group, 'rita');
  ravis = await filed(group, 'ravi');
});
afterAll(() => house.stop());

const path = (id: string): string => `/api/ops/requests/${id}`;

/** Opens the action's page and confirms it. */
async function confirm(id: string, action: string, fields: Record<string, string>, more: Record<string, string> = {}) {
  const page = await otto.get(`${path(id)}?${String(new URLSearchParams({ action, ...more }))}`);
  return otto.post(path(id), { action, token: hiddenField(page.text, 'token'), ...more, ...fields });
}

test('lists what is open, oldest first, says what each waits for and how Gatehouse runs, and loads nothing', async () => {
  const { status, text, headers } = await otto.get('/api/ops');
  expect(status).toBe(200);
  expect(text.indexOf(ritas)).toBeGreaterThan(0);
  expect(text.indexOf(ravis)).toBeGreaterThan(text.indexOf(ritas));
  expect(text).toContain('Paper &amp; Ink');
  expect(text).toMatch(/pending: waits for a decision; filed [^<]* ago/);
  expect(text).toContain('Nothing needs you.');
  expect(text).toMatch(/Used: \d+ of 10,000 in this minute, \d+ of 100,000 in this hour/);
  expect(text).toContain('As needed');
  expect(text).not.toMatch(/<script|javascript:|\son\w+=/i);
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/,
  );
  expect(headers.get('cache-control')).toBe('no-store');
});

test('pages through what is open, a page at a time', async () => {
  const first = (await ops.call('GET', '/api/ops/requests?order=age&pageSize=1')).json as Listing;
  expect(first.value.map(({ id }) => id)).toEqual([ritas]);
  const second = (await ops.call('GET', new URL(first.nextLink ?? '').pathname + new URL(first.nextLink ?? '').search))
    .json as Listing;
  expect(second.value.map(({ id }) => id)).toEqual([ravis]);
  expect(second.nextLink).toBeUndefined();
});
interface Listing {
  value: { id: string; state: string }[];
  nextLink?: string;
}

test('who has not the role sees no fact, whether there is a request or not', async () => {
  for (const alias of ['olivia', 'rita', 'adele'] as const) {
    const { browser, page } = await signIn(house.stack.urls, alias, path(ritas));
    const none = await browser.get(path('0'.repeat(32)));
    expect([page.status, none.status]).toEqual([200, 200]);
    const withoutAddress = (text: string, id: string): string => text.replaceAll(id, '');
    expect(withoutAddress(page.text, ritas)).toBe(withoutAddress(none.text, '0'.repeat(32)));
    expect(page.text).toContain('This link is for another account');
    expect((await browser.get('/api/ops')).text).not.toContain('Paper');
    const forged = await browser.post(path(ritas), { action: 'cancel', reason: 'x', token: 'x' });
    expect(forged.status).toBe(403);
  }
  const nobody = await fetch(new URL('/api/ops', house.stack.urls.frontDoor));
  const text = await nobody.text();
  expect(text).toContain('Sign in to go on');
  expect(text).not.toContain('Paper');
  expect((await house.status(ritas)).state).toBe('pending');
});

test('finds by person, by their name, by group and by reference, and puts no name into an address', async () => {
  const page = await otto.get('/api/ops');
  const token = hiddenField(page.text, 'token');
  const find = (wanted: string) => otto.post('/api/ops', { token, find: wanted });
  const upn = userPrincipalNameOf(people.rita);
  for (const wanted of [people.rita.id, people.rita.id.toUpperCase(), ` ${upn} `]) {
    const found = await find(wanted);
    expect(found.url).toContain(`of=${people.rita.id}`);
    expect(decodeURIComponent(found.url)).not.toContain('@');
    expect(found.text).toContain(ritas);
    expect(found.text).not.toContain(ravis);
  }
  const ofGroup = await find(group);
  expect([ofGroup.text.includes(ritas), ofGroup.text.includes(ravis)]).toEqual([true, true]);
  expect((await find(ritas)).url).toContain(path(ritas));
  const answers = await Promise.all(['nobody@contoso.example', '0'.repeat(32), 'Rita'].map(find));
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 400]);
  expect(answers[2]?.text).toContain('Give an object id, a user principal name');
  const forged = await otto.post('/api/ops', { token: 'AAAAAAAAAAAAAAAAAAAAAA', find: ritas });
  expect(forged.status).toBe(403);
  const byApi = (await ops.call('GET', `/api/ops/search?person=${encodeURIComponent(upn)}`)).json as Listing;
  expect(byApi.value.map(({ id }) => id)).toEqual([ritas]);
  expect((await ops.call('GET', '/api/ops/search')).status).toBe(400);
});

test('a request’s page tells all that is kept of it, beside what its workflow says', async () => {
  await house.untilAsleep(ritas, 'pending');
  const { text } = await otto.get(path(ritas));
  expect(text).toContain('I &lt;b work with them &amp; theirs.');
  expect(text).toContain('Running');
  expect(text).toContain('2 people who may decide got a mail.');
  expect(text).toMatch(/Asks to decide – <bdi>Olivia/);
  expect(text).not.toContain('/api/decisions/');
  for (const action of ['reroute', 'extend', 'cancel']) expect(text).toContain(`?action=${action}`);
  for (const action of ['retry', 'restart']) expect(text).not.toContain(`?action=${action}`);
});

test('an action needs our own form and a reason; what was typed comes back, and nothing is changed', async () => {
  const page = await otto.get(`${path(ritas)}?action=reroute`);
  const token = hiddenField(page.text, 'token');
  const typed = { action: 'reroute', people: people.tomas.id, required: '1', reason: 'On leave' };
  const answers = [
    await otto.post(path(ritas), { ...typed, token: 'AAAAAAAAAAAAAAAAAAAAAA' }),
    await otto.post(path(ritas), { ...typed, token }, { origin: 'https://evil.example' }),
    await otto.post(path(ritas), { ...typed, token, reason: ' ' }),
    await otto.post(path(ritas), { ...typed, token, people: '' }),
    await otto.post(path(ritas), { ...typed, token, people: people.rita.id }),
    await otto.post(path(ritas), { ...typed, token, people: people.otto.id }),
    await otto.post(path(ritas), { ...typed, token, required: '2' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([403, 403, 400, 400, 409, 409, 409]);
  for (const { text } of answers) expect(text).toContain('Nothing was changed');
  expect(answers[6]?.text).toContain('On leave');
  expect(answers[6]?.text).toContain(people.tomas.id);
  expect(answers[2]?.text).toContain('Say why.');
  expect((await house.status(ritas)).timeline.some(({ event }) => event === 'rerouted')).toBe(false);
});

test('Otto gives a decision to others, moves a deadline, sends a mail again and cancels: each is told, with his name and reason', async () => {
  const id = await filed(await newGroup('Bindery', ['olivia', 'omar']), 'rita');
  const sent = await otto.get(`${path(id)}?action=resend&mail=ask_0_0_${people.omar.id}`);
  expect(sent.text).toContain('A second copy may arrive');
  const before = (await mailsTo(house.stack.urls, 'omar')).length;
  const again = await confirm(id, 'resend', { reason: 'He lost it.' }, { mail: `ask_0_0_${people.omar.id}` });
  expect(again.text).toContain('The mail is sent again.');
  await house.until(id, async () => (await mailsTo(house.stack.urls, 'omar')).length > before);
  const extended = await confirm(id, 'extend', { days: '7', reason: 'Holidays.' });
  expect(extended.text).toContain('The deadline was moved.');
  const routed = await confirm(id, 'reroute', { people: `${people.tomas.id}\r\n`, required: '1', reason: 'On leave.' });
  expect(routed.text).toContain('named by operations');
  await house.until(id, async () => (await house.asked(id, 'tomas')).length === 1);
  const cancelled = await confirm(id, 'cancel', { reason: 'It was a mistake.' });
  expect(cancelled.text).toContain('The request is cancelled.');
  expect((await house.untilTold(id)).state).toBe('cancelled');

  const { text } = await otto.get(path(id));
  const name = people.otto.displayName;
  for (const words of ['He lost it.', 'Holidays.', 'On leave.', 'It was a mistake.'])
    expect(text).toMatch(new RegExp(`“${words.replace('.', '\\.')}” – <bdi>${name}`));
  // nothing is claimed that the trail does not say
  expect((await otto.get(`${path(id)}?done=retry`)).text).not.toContain('It is tried again.');
  expect((await otto.get(`${path(id)}?action=cancel`)).url).not.toContain('action=');
});

test('what failed stands on top, with the reason in words, and Otto tries it again', async () => {
  const id = await filed(await newGroup('Foundry', ['olivia']), 'mona');
  await house.fault('directory', { method: 'POST', path: 'members/\\$ref', fault: { kind: 'answer', status: 403 } });
  await house.decide(id, 'olivia', 'approve');
  const onTop = async (): Promise<string> => {
    const { text } = await otto.get('/api/ops');
    return text.slice(text.indexOf('Failed or stuck'), text.indexOf('How Gatehouse runs'));
  };
  await house.until(id, async () => (await onTop()).includes(id));
  const top = await onTop();
  expect(top).toContain('Microsoft Graph refused');
  await house.clearFaults();
  expect((await confirm(id, 'retry', { reason: 'Mended.' })).text).toContain('It is tried again.');
  expect((await house.untilTold(id)).state).toBe('granted');
  await house.until(id, async () => !(await otto.get('/api/ops')).text.includes(id));
});

test('what is late stands on top as stuck', async () => {
  const id = await filed(await newGroup('Mill', ['olivia']), 'hugo');
  await house.untilAsleep(id, 'pending');
  // right after a run of the sweeper, which would take it up, there is a minute until the next one
  const { clock } = house.stack;
  const next = new Date(Math.ceil(clock.now().getTime() / 60_000) * 60_000);
  clock.advance(next.getTime() - clock.now().getTime() + 1_000);
  await house.until(id, async () => {
    const { json } = await ops.call('GET', '/api/ops/overview');
    return ((json as { sweeper: { at: string } | null }).sweeper?.at ?? '') >= next.toISOString();
  });
  const due = new Date(clock.now().getTime() - 5 * 60_000).toISOString();
  const requests = tableClient(house.stack, 'requests');
  const row = await requests.getEntity<{ json: string }>(`r_${id}`, 'state');
  const json = JSON.stringify({ ...(JSON.parse(row.json) as object), due });
  await requests.updateEntity({ partitionKey: `r_${id}`, rowKey: 'state', json }, 'Merge');
  const open = tableClient(house.stack, 'open');
  await open.upsertEntity({ partitionKey: 'open', rowKey: `${due}_join_${id}` }, 'Replace');
  // a pointer that is older than its request points to nothing that is late
  await open.upsertEntity({ partitionKey: 'open', rowKey: `${due}_join_${ravis}` }, 'Replace');

  const { text } = await otto.get('/api/ops');
  const top = text.slice(text.indexOf('Failed or stuck'), text.indexOf('How Gatehouse runs'));
  expect(top).toContain(id);
  expect(top).toContain('Its next step is late');
  expect(top).not.toContain(ravis);
});

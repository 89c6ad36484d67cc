import { groups, people } from '../../../local/demo-tenant';
import { asPersonWithToken, asSystem, mintToken } from '../../../local/stack/actors';
import type { Answer, SystemActor } from '../../../local/stack/actors';
import { routes } from '../../../functions/routes';
import { ROLES } from '../../../shared/web/tokens';
import { openHouse } from '../../workflow/house';
import type { House } from '../../workflow/house';
import { tableClient } from '../stack/tools';
import { parseCsv } from './parse-csv';

let house: House;
let auditor: SystemActor;
let requestId: string;
const MINUTE = 60_000;

interface Entry {
  at: string;
  event: string;
  seq: number;
  chain: string;
  requestId?: string;
  groupId?: string;
  personId?: string;
  by: { id: string; kind: string };
  hash: string;
}
const read = (query = '', headers: Record<string, string> = {}): Promise<Answer> =>
  auditor.call('GET', `/api/audit${query}`, undefined, headers);
const valueOf = ({ json }: Answer): Entry[] => (json as { value: Entry[] }).value;
const search = async (query: string): Promise<Entry[]> => valueOf(await read(query));

async function copied(): Promise<void> {
  for (let left = 200; left > 0; left -= 1) {
    const waiting: unknown[] = [];
    for await (const row of tableClient(house.stack, 'uncopied').listEntities()) waiting.push(row);
    if (waiting.length === 0) return;
    if (left % 40 === 0) house.stack.clock.advance(MINUTE);
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('not copied');
}

beforeAll(async () => {
  house = await openHouse();
  const { urls } = house.stack;
  auditor = await asPersonWithToken(urls, 'aude');
  // what a person writes goes into CSV too
  requestId = await house.filed('design', 'rita', { justification: '=HYPERLINK("https://evil.example","x")' });
  await house.until(requestId, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  const olivia = await asPersonWithToken(urls, 'olivia');
  await olivia.call('POST', `/api/join-requests/${requestId}/decision`, {
    decision: 'deny',
    comment: '=1+1 "no",\nsee me',
  });
  await house.untilTold(requestId);
  const other = await house.filed('engineering', 'rita');
  await house.until(other, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  const admin = await asSystem(urls, 'adminTool');
  await admin.call('PUT', `/api/groups/${groups.design.id}/policy`, { optedIn: true }, { 'if-none-match': '*' });
  await copied();
});
afterAll(() => house.stop());

test('an auditor, person or app, reads all entries in order of time', async () => {
  const all = valueOf(await read());
  expect(all.length).toBeGreaterThanOrEqual(8);
  expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).toSorted());
  const app = await mintToken(house.stack.urls, { app: 'noRoles', claims: { roles: [ROLES.audit] } });
  const answer = await fetch(new URL('/api/audit', house.stack.urls.frontDoor), {
    headers: { authorization: `Bearer ${app}` },
  });
  expect(((await answer.json()) as { value: Entry[] }).value).toEqual(all);
});

test('the role to audit opens no other door', async () => {
  const token = await mintToken(house.stack.urls, { app: 'noRoles', claims: { roles: [ROLES.audit] } });
  const opened: string[] = [];
  for (const { name, method, route, admits } of routes) {
    if (admits === 'anyone' || name === 'readAudit') continue;
    const path = `/api/${route}`.replace('{groupId}', groups.design.id).replace('{requestId}', requestId);
    const response = await fetch(new URL(path, house.stack.urls.frontDoor), {
      method,
      headers: { authorization: `Bearer ${token}` },
    });
    if (response.status !== 403) opened.push(`${name} ${String(response.status)}`);
    await response.text();
  }
  expect(opened).toEqual([]);
});

test('each filter gives what it says and nothing else, alone and together', async () => {
  const all = await search('');
  const only = (wanted: (entry: Entry) => boolean): Entry[] => all.filter(wanted);
  const { design } = groups;
  const { rita, olivia } = people;
  const filed = all.find(({ event }) => event === 'filed');
  const half = all[Math.floor(all.length / 2)]?.at ?? '';
  const cases: [string, Entry[]][] = [
    [`?requestId=${requestId}`, only((entry) => entry.requestId === requestId)],
    [`?group=${design.id}`, only((entry) => entry.groupId === design.id)],
    [`?group=${design.id.toUpperCase()}&event=policy-written`, only(({ event }) => event === 'policy-written')],
    [`?person=${rita.id}`, only((entry) => entry.personId === rita.id)],
    [`?person=${people.mona.id}`, []],
    [`?actor=${olivia.id}`, only(({ by }) => by.id === olivia.id)],
    // a system filed on her behalf
    [`?actor=${rita.id}`, only(({ event }) => event === 'filed')],
    ['?actor=gatehouse', only(({ by }) => by.kind === 'gatehouse')],
    ['?event=denied', only(({ event }) => event === 'denied')],
    [`?from=${half}`, only(({ at }) => at >= half)],
    [`?to=${half}`, only(({ at }) => at < half)],
    [`?requestId=${requestId}&from=${half}`, only((entry) => entry.requestId === requestId && entry.at >= half)],
    ['?to=2020-01-01', []],
    ['?from=2100-01-01&to=2101-01-01', []],
  ];
  expect(filed).toBeDefined();
  for (const [query, expected] of cases) expect([query, await search(query)]).toEqual([query, expected]);
  // each of them finds something, so that the comparison says something
  expect(cases.filter(([, expected]) => expected.length === 0)).toHaveLength(3);
});

test.each([
  ['', 3],
  [() => `&requestId=${requestId}`, 2],
] as const)('pages of few entries hold all of them once, in order', async (more, size) => {
  const filter = typeof more === 'function' ? more() : more;
  const all = await search(`?pageSize=1000${filter}`);
  const found: Entry[] = [];
  let pages = 0;
  for (let path: string | undefined = `/api/audit?pageSize=${String(size)}${filter}`; path !== undefined; pages += 1) {
    const { json, status } = await auditor.call('GET', path);
    expect(status).toBe(200);
    const { value, nextLink } = json as { value: Entry[]; nextLink?: string };
    expect(value.length).toBeLessThanOrEqual(size);
    found.push(...value);
    path = nextLink === undefined ? undefined : new URL(nextLink).pathname + new URL(nextLink).search;
  }
  expect(found).toEqual(all);
  expect(pages).toBeGreaterThanOrEqual(Math.ceil(all.length / size));
});

test('JSON lines and CSV hold what the pages hold', async () => {
  const all = await search('?pageSize=1000');
  const lines = await read('', { accept: 'application/jsonl' });
  expect(lines.headers.get('content-type')).toContain('application/jsonl');
  expect(lines.text.endsWith('\n')).toBe(true);
  expect(
    lines.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry),
  ).toEqual(all);

  const csv = await read('', { accept: 'text/csv, application/json;q=0.5' });
  expect(csv.headers.get('content-type')).toContain('text/csv');
  expect(csv.headers.get('content-disposition')).toContain('audit.csv');
  expect(csv.headers.get('cache-control')).toBe('no-store');
  // it goes out as it is read: nobody knows how long it will be
  expect([lines, csv].map(({ headers }) => headers.has('content-length'))).toEqual([false, false]);
  const rows = parseCsv(csv.text);
  expect(rows[0]?.[0]).toBe('at');
  const at = rows[0]?.indexOf('hash') ?? -1;
  expect(rows.slice(1).map((row) => row[at])).toEqual(all.map(({ hash }) => hash));
});

test('no cell of the CSV is a formula, whatever people wrote', async () => {
  const { text } = await read(`?requestId=${requestId}`, { accept: 'text/csv' });
  expect(text).toContain('=1+1');
  for (const cell of parseCsv(text).flat()) expect(cell).not.toMatch(/^\s*[=+@-]/);
});

test.each([
  ['?from=yesterday', 'from'],
  ['?actor=me', 'actor'],
  ['?group=1', 'group'],
  ["?event=x'+or+1", 'event'],
  ['?requestId=1', 'requestId'],
  ['?pageSize=0', 'pageSize'],
  ['?after=%0a', 'after'],
  ['?colour=red', 'colour'],
])('%s is refused by name', async (query, field) => {
  const { status, json } = await read(query);
  expect([status, (json as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer)]).toEqual([
    400,
    [`/${field}`],
  ]);
});

test('who read what of the audit is logged', async () => {
  await read(`?requestId=${requestId}`);
  const line = house.stack.logs('host').findLast((each) => each.includes('audit read by'));
  expect(line).toContain(people.aude.id);
  expect(line).toContain(requestId);
});

test('what is copied more than a day late is found at its own time', async () => {
  // the audit account does not answer for two days: stands for it that the app does not run
  const filed = await house.filed('marketing', 'mona');
  await house.until(filed, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  const before = house.stack.clock.now();
  await house.stack.end('host');
  house.stack.clock.advance(50 * 60 * MINUTE);
  await house.stack.restart('host');
  await copied();
  const late: string[] = [];
  for await (const { partitionKey = '', rowKey = '' } of tableClient(house.stack, 'audit').listEntities())
    if (partitionKey === 'late') late.push(rowKey.slice(0, 10));
  expect(late).toEqual([before.toISOString().slice(0, 10)]);
  const to = new Date(before.getTime() + 60 * MINUTE).toISOString();
  const found = await search(`?person=${people.mona.id}&to=${to}`);
  expect(found.map(({ event }) => event)).toEqual(expect.arrayContaining(['filed', 'approvers-asked']));
}, 120_000);

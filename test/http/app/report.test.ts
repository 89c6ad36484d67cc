import { groups, people } from '../../../local/demo-tenant';
import { asSystem } from '../../../local/stack/actors';
import type { Answer, SystemActor } from '../../../local/stack/actors';
import type { GroupSituation } from '../../../shared/domain/self-service-report';
import { openHouse } from '../../workflow/house';
import type { House } from '../../workflow/house';
import { tableClient } from '../stack/tools';
import { parseCsv } from './parse-csv';

let house: House;
let admin: SystemActor;

type Line = GroupSituation & { after?: string };
interface Report {
  groups: number;
  off: string[];
  value: Line[];
  complete: boolean;
  totals: { groups: number; byKind: Record<string, number>; byStanding: Record<string, number> };
  checklist: { id: string; met: boolean; evidence: string; next: string | null }[];
  announcement: { subject: string; text: string };
  spent: { graphCalls: number; throttled: number };
}

beforeAll(async () => {
  house = await openHouse({ wires: true, env: { DEFAULT_POLICY: '{"optedIn":false}' } });
  admin = await asSystem(house.stack.urls, 'adminTool');
});
afterEach(() => house.clearFaults());
afterAll(() => house.stop());

const PATH = '/api/reports/self-service';
const get = (query = '', accept = 'application/json'): Promise<Answer> =>
  admin.call('GET', `${PATH}${query}`, undefined, { accept });
const report = async (query = ''): Promise<Report> => {
  const answer = await get(query);
  expect([answer.status, answer.text.slice(0, 200)]).toEqual([200, expect.any(String)]);
  return answer.json as Report;
};
const lineOf = async (id: string): Promise<Line> => {
  const found = (await report()).value.find((line) => line.id === id);
  if (found === undefined) throw new Error('no line');
  return found;
};
const typeOf = ({ json }: Answer): string => String((json as { type: string }).type).split('/problems/')[1] ?? '';
/** All that stands about policies and their trails. */
const policyRows = async (): Promise<unknown[]> => {
  const rows: unknown[] = [];
  for await (const row of tableClient(house.stack, 'policies').listEntities()) rows.push(row);
  return rows;
};

test('every group of the tenant stands in the report once, with its kind, owners, members and what keeps it', async () => {
  const { groups: count, value, totals, complete, off } = await report();
  const ids = Object.values(groups).map(({ id }) => id);
  expect(value.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  expect([count, totals.groups, complete]).toEqual([ids.length, ids.length, true]);
  const of = (id: string) => value.find((line) => line.id === id);
  expect(of(groups.design.id)).toMatchObject({
    displayName: groups.design.displayName,
    kind: 'security',
    source: 'cloud',
    owners: groups.design.owners.length,
    members: groups.design.members.length,
    selfService: 'undecided',
    policy: 'setting',
    standing: 'possible',
    ownersManage: false,
    rule: 'undecided',
  });
  expect(of(groups.ownerless.id)).toMatchObject({ owners: 0, usableOwners: 0, rule: 'no-usable-owner' });
  // the guest owns it and can't decide
  expect(of(groups.twoOwnersOneGuest.id)).toMatchObject({ owners: 2, usableOwners: 1 });
  const rules: [keyof typeof groups, string][] = [
    ['synced', 'group-is-synchronised'],
    ['dynamic', 'group-is-dynamic'],
    ['dynamic365', 'group-is-dynamic'],
    ['roleAssignable', 'group-is-role-assignable'],
    ['restricted', 'group-is-management-restricted'],
    ['distribution', 'group-is-distribution-list'],
    ['mailSecurity', 'group-is-mail-enabled-security'],
  ];
  for (const [alias, rule] of rules) {
    const line = of(groups[alias].id);
    expect([alias, line?.standing, line?.rule]).toEqual([alias, 'impossible', rule]);
    expect(line?.reason).toMatch(/\.$/);
    expect(line?.change).toMatch(/\.$/);
  }
  // without the permissions that only these need, it says so and does not guess
  expect(of(groups.hidden.id)).toMatchObject({ kind: 'microsoft365', members: null });
  expect(off.join(' ')).toContain('Member.Read.Hidden');
});

test('members are left out where they are not asked for', async () => {
  const { value } = await report('?members=none');
  expect(value.every(({ members }) => members === null)).toBe(true);
});

test('the checklist names its evidence and what is left to do, and the announcement what holds here', async () => {
  const { checklist, announcement, totals } = await report();
  expect(checklist.map(({ id, met }) => [id, met])).toEqual([
    ['groups-identified', false],
    ['owners-present', false],
    ['policy-set', false],
    ['owners-told', false],
  ]);
  expect(checklist[0]?.evidence).toContain(`${String(totals.byKind['microsoft365'])} Microsoft 365`);
  expect(checklist[2]?.evidence).toContain('under setting');
  for (const { next } of checklist) expect(next).toMatch(/\.$/);
  expect(announcement.text).toContain('14 days');
});

test('JSON lines and CSV hold the same lines, and no cell of the CSV is a formula', async () => {
  await house.change({
    type: 'patchGroup',
    id: groups.marketing.id,
    patch: { displayName: '=HYPERLINK("https://evil.example","x"),\r\n@SUM(1)' },
  });
  try {
    const { value } = await report();
    const jsonl = await get('', 'application/jsonl');
    const parts = jsonl.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { head?: object; group?: Line; end?: object });
    expect([parts[0]?.head, parts.at(-1)?.end]).toEqual([
      expect.objectContaining({ groups: value.length }),
      expect.objectContaining({ complete: true }),
    ]);
    expect(parts.slice(1, -1).map(({ group }) => group)).toEqual(value);
    const csv = await get('', 'text/csv');
    expect(csv.headers.get('content-disposition')).toContain('self-service.csv');
    expect(csv.headers.has('content-length')).toBe(false);
    const rows = parseCsv(csv.text);
    expect(rows.slice(1).map(([id]) => id)).toEqual(value.map(({ id }) => id));
    expect(rows.flat().some((cell) => cell.includes('HYPERLINK'))).toBe(true);
    for (const cell of rows.flat()) expect(cell).not.toMatch(/^\s*[=+@-]/);
  } finally {
    const { displayName } = groups.marketing;
    await house.change({ type: 'patchGroup', id: groups.marketing.id, patch: { displayName } });
  }
});

test('what breaks off goes on behind its last place, and together it is the whole', async () => {
  const whole = await report();
  const pieces: Line[] = [];
  let after: string | undefined;
  for (let n = 0; n < 20; n += 1) {
    const { value, complete, checklist } = await report(`?pageSize=5${after === undefined ? '' : `&after=${after}`}`);
    // as if it had broken off behind the second place, in the middle of a page
    const cut = value.slice(0, 12);
    const last = cut.findLastIndex((line) => line.after !== undefined);
    if (after !== undefined) {
      expect(complete).toBe(false);
      expect(checklist.every(({ met }) => !met)).toBe(true);
    }
    if (value.length <= 5) {
      pieces.push(...value);
      break;
    }
    pieces.push(...cut.slice(0, last + 1));
    after = cut[last]?.after;
    expect(after).toMatch(/^[\w-]+$/);
  }
  expect(pieces.map(({ id }) => id)).toEqual(whole.value.map(({ id }) => id));
});

test('throttling is waited out, by whole calls and by calls within a batch, and told', async () => {
  const throttled = (path: string, times: number) => ({
    path,
    times,
    fault: { kind: 'answer', status: 429, headers: { 'retry-after': '1' }, body: '' },
  });
  await house.fault('directory', throttled('/v1\\.0/groups\\?', 1));
  await house.fault('directory', throttled('/v1\\.0/\\$batch', 2));
  await house.fault('directory', throttled('/owners/', 3));
  const started = performance.now();
  const { value, spent } = await report();
  expect(value).toHaveLength(Object.keys(groups).length);
  expect(spent.throttled).toBeGreaterThanOrEqual(6);
  expect(performance.now() - started).toBeGreaterThan(1_900);
});

test('where Graph does not answer at the start there is a problem, and where it stops in the middle the answer breaks off', async () => {
  const down = (path: string, skip: number) => ({
    path,
    skip,
    fault: { kind: 'answer', status: 403, body: '{"error":{"code":"Authorization_RequestDenied","message":"no"}}' },
  });
  await house.fault('directory', down('/v1\\.0/groups\\?', 0));
  expect((await get()).status).toBe(503);
  await house.clearFaults();
  await house.fault('directory', down('/v1\\.0/groups\\?', 2));
  await expect(get('?pageSize=5')).rejects.toThrow();
});

test.each([
  ['?after=x', 'after'],
  ['?pageSize=0', 'pageSize'],
  ['?pageSize=1000', 'pageSize'],
  ['?members=all', 'members'],
  ['?colour=red', 'colour'],
])('%s is refused by name', async (query, field) => {
  const { status, json } = await get(query);
  expect([status, (json as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer)]).toEqual([
    400,
    [`/${field}`],
  ]);
});

test('a place that Graph does not know any more is gone', async () => {
  const place = Buffer.from(JSON.stringify({ size: 5, token: 'expired' })).toString('base64url');
  expect((await get(`?after=${place}`)).status).toBe(410);
});

describe('opting in and out', () => {
  const opt = (group: string, action: string, body: unknown = { reason: 'The owners asked for it.' }) =>
    admin.call('POST', `/api/groups/${group}/${action}`, body);
  const trailOf = async (group: string) => {
    const found: Record<string, unknown>[] = [];
    for await (const row of tableClient(house.stack, 'policies').listEntities<Record<string, unknown>>())
      if (row.partitionKey === `g_${group}` && row.rowKey?.startsWith('ev_') === true) found.push(row);
    return found;
  };

  test('a group is opted in with a reason, once, and out again; its trail says who and why', async () => {
    const { id } = groups.finance;
    expect((await opt(id, 'opt-in')).json).toMatchObject({ groupId: id, outcome: 'changed' });
    expect((await opt(id, 'opt-in')).json).toMatchObject({ outcome: 'unchanged' });
    expect(await lineOf(id)).toMatchObject({ standing: 'self-service', ownersManage: true, policy: 'group@1' });
    const filed = await house.system.call('POST', `/api/groups/${id}/join-requests`, {
      userId: people.rita.id,
      justification: 'x',
    });
    expect(filed.status).toBe(202);
    expect((await opt(id, 'opt-out', { reason: 'Not yet.' })).json).toMatchObject({ outcome: 'changed' });
    expect(await lineOf(id)).toMatchObject({ selfService: 'opted-out', policy: 'group@2' });
    const trail = await trailOf(id);
    expect(trail).toHaveLength(2);
    expect(trail.map(({ byKind, route, data }) => [byKind, route, JSON.parse(String(data)) as unknown])).toEqual([
      ['app', 'POST /api/groups/{groupId}/opt-in', { reason: 'The owners asked for it.' }],
      ['app', 'POST /api/groups/{groupId}/opt-out', { reason: 'Not yet.' }],
    ]);
  });

  test('opting out a group that nobody decided on is a decision', async () => {
    const { id } = groups.legalHold;
    expect((await opt(id, 'opt-out')).json).toMatchObject({ outcome: 'changed' });
    expect((await opt(id, 'opt-out')).json).toMatchObject({ outcome: 'unchanged' });
    expect(await lineOf(id)).toMatchObject({ selfService: 'opted-out', standing: 'possible' });
  });

  test.each(['synced', 'dynamic', 'roleAssignable', 'distribution', 'mailSecurity', 'restricted'] as const)(
    'a %s group is refused with the sentence of the rule and what would change it',
    async (alias) => {
      const { id } = groups[alias];
      const refused = await opt(id, 'opt-in');
      const { rule, reason, change } = await lineOf(id);
      expect([refused.status, typeOf(refused), refused.json]).toEqual([
        409,
        rule,
        expect.objectContaining({ detail: `${String(reason)} ${String(change)}`, rule, reason, change }),
      ]);
      expect(await trailOf(id)).toEqual([]);
    },
  );

  test('a group in which nobody could decide is refused, one that there is not is not found, and a reason is needed', async () => {
    const refused = await opt(groups.ownerless.id, 'opt-in');
    expect([refused.status, typeOf(refused)]).toEqual([409, 'no-usable-owner']);
    expect((await opt('00000000-0000-4000-8000-0000000000ff', 'opt-in')).status).toBe(404);
    for (const body of [{}, { reason: ' ' }, { reason: 'x', force: true }])
      expect((await opt(groups.design.id, 'opt-in', body)).status).toBe(400);
  });

  test('a group that a policy names is protected, and the report says so', async () => {
    await admin.call(
      'PUT',
      `/api/groups/${groups.publicNews.id}/policy`,
      { optedIn: true, whoMayAsk: { membersOf: [groups.parent.id] } },
      { 'if-match': '"none"' },
    );
    expect(typeOf(await opt(groups.parent.id, 'opt-in'))).toBe('group-is-protected');
    expect(await lineOf(groups.parent.id)).toMatchObject({ standing: 'impossible', rule: 'group-is-protected' });
  });
});

interface BulkAnswer {
  changed: number;
  unchanged: number;
  refused: number;
  looked: number;
  after?: string;
  value: { groupId: string; outcome: string; rule?: string; reason?: string; change?: string }[];
}

describe('in bulk', () => {
  const bulk = async (action: string, body: object): Promise<BulkAnswer> => {
    const answer = await admin.call('POST', `/api/policies/${action}`, { reason: 'Step 14.', ...body });
    expect([answer.status, answer.status === 200 ? '' : answer.text]).toEqual([200, '']);
    return answer.json as BulkAnswer;
  };
  const all = async (action: string, body: object): Promise<BulkAnswer['value']> => {
    const found: BulkAnswer['value'] = [];
    for (let after: string | undefined, n = 0; n === 0 || after !== undefined; n += 1) {
      const answer = await bulk(action, { ...body, ...(after !== undefined && { after }) });
      found.push(...answer.value);
      after = answer.after;
    }
    return found;
  };

  test('a dry run tells what would be, group by group, and writes nothing', async () => {
    const before = await policyRows();
    const found = await all('opt-in', { filter: {}, pageSize: 10 });
    expect(await policyRows()).toEqual(before);
    expect(found.map(({ groupId }) => groupId).toSorted()).toEqual(
      Object.values(groups)
        .map(({ id }) => id)
        .toSorted(),
    );
    const of = (id: string) => found.find(({ groupId }) => groupId === id);
    expect(of(groups.design.id)).toMatchObject({ outcome: 'would-change' });
    expect(of(groups.publicNews.id)).toMatchObject({ outcome: 'unchanged' });
    expect(of(groups.synced.id)).toMatchObject({ outcome: 'refused', rule: 'group-is-synchronised' });
    expect(of(groups.ownerless.id)).toMatchObject({ outcome: 'refused', rule: 'no-usable-owner' });
    expect(found.filter(({ outcome }) => outcome === 'changed')).toEqual([]);
  });

  test('a run that was broken off is made again: what it did stands, and the rest follows', async () => {
    const filter = { selfService: 'undecided', hasUsableOwner: true, kind: 'security' };
    const planned = (await all('opt-in', { filter })).filter(({ outcome }) => outcome === 'would-change');
    expect(planned.length).toBeGreaterThan(2);
    // the trail of the last one can't be written, for longer than the storage client tries
    await house.fault('tables', {
      path: `g_${String(planned.at(-1)?.groupId)}_`,
      fault: { kind: 'answer', status: 503, body: '' },
    });
    const body = { filter: { ids: planned.map(({ groupId }) => groupId) }, dryRun: false, reason: 'Step 14.' };
    expect((await admin.call('POST', '/api/policies/opt-in', body)).status).toBe(503);
    await house.clearFaults();
    const again = await bulk('opt-in', body);
    expect([again.changed + again.unchanged, again.unchanged > 0]).toEqual([planned.length, true]);
    for (const { groupId } of planned)
      expect(await lineOf(groupId)).toMatchObject({ selfService: 'opted-in', policy: 'group@1' });
    expect((await bulk('opt-in', body)).unchanged).toBe(planned.length);
  });

  test('a filter takes what it says and nothing else, alone and together', async () => {
    const { value } = await report();
    const cases: [object, (line: Line) => boolean][] = [
      [{ kind: 'microsoft365' }, ({ kind }) => kind === 'microsoft365'],
      [{ namePrefix: 'DES' }, ({ displayName }) => displayName.toLowerCase().startsWith('des')],
      [{ hasUsableOwner: false }, ({ usableOwners }) => usableOwners === 0],
      [{ selfService: 'opted-in' }, ({ selfService }) => selfService === 'opted-in'],
      [{ kind: 'security', hasUsableOwner: true }, ({ kind, usableOwners }) => kind === 'security' && usableOwners > 0],
    ];
    for (const [filter, wanted] of cases) {
      const expected = value.filter(wanted).map(({ id }) => id);
      expect(expected.length).toBeGreaterThan(0);
      const found = (await all('opt-out', { filter, pageSize: 7 })).map(({ groupId }) => groupId);
      expect([filter, found]).toEqual([filter, expected]);
    }
    const ids = [groups.design.id.toUpperCase(), groups.design.id, '00000000-0000-4000-8000-0000000000ff'];
    const named = await bulk('opt-out', { filter: { ids } });
    expect(named.value.map(({ outcome, rule }) => [outcome, rule])).toEqual([
      ['would-change', undefined],
      ['refused', 'group-not-found'],
    ]);
  });

  test('that owners were told is written down for groups that they manage, and the checklist counts it', async () => {
    const filter = { ids: [groups.publicNews.id, groups.finance.id] };
    const marked = await bulk('owners-told', { filter, dryRun: false });
    expect(marked.value.map(({ outcome, rule }) => [outcome, rule])).toEqual([
      ['changed', undefined],
      ['refused', 'opted-out'],
    ]);
    expect((await bulk('owners-told', { filter: { ids: [groups.publicNews.id] }, dryRun: false })).unchanged).toBe(1);
    expect(await lineOf(groups.publicNews.id)).toMatchObject({ ownersTold: true });
    const told = (await report()).checklist.find(({ id }) => id === 'owners-told');
    expect(told?.evidence).toMatch(/^The owners of 1 of \d+ self-service groups were sent/);
  });

  test.each([
    [{ filter: { ids: [] } }, '/filter/ids'],
    [{ filter: { ids: ['x'] } }, '/filter/ids/0'],
    [{ filter: { kind: 'team' } }, '/filter/kind'],
    [{ filter: {}, after: '!' }, '/after'],
    [{ filter: {}, pageSize: 0 }, '/pageSize'],
    [{ filter: { name: 'x' } }, '/filter/name'],
    [{ filter: {}, dryRun: 'no' }, '/dryRun'],
  ])('%j is refused by name', async (body, pointer) => {
    const answer = await admin.call('POST', '/api/policies/opt-in', { reason: 'x', ...body });
    const { errors } = answer.json as { errors: { pointer: string }[] };
    expect([answer.status, errors.map((error) => error.pointer)]).toEqual([400, [pointer]]);
  });
});

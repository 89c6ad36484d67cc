import { groups, people } from '../../../local/demo-tenant';
import { errorOf, openDirectory, valueOf } from '../../unit/local/directory/support';
import type { Answer, Call } from '../../unit/local/directory/support';

let directory: ReturnType<typeof openDirectory>;
beforeEach(() => {
  directory = openDirectory();
});
afterEach(() => {
  jest.useRealTimers();
  directory.close();
});

const roles = ['Group.ReadWrite.All', 'User.Read.All'];
const url = (id: string) => `https://graph.microsoft.com/v1.0/users/${id}`;
const follow = (link: unknown): Promise<Answer> =>
  directory.call(String(link).slice('https://graph.test/v1.0'.length), { roles });

/** All pages of a round, and the link to the next round. */
async function round(
  start: unknown,
): Promise<{ entries: Record<string, unknown>[]; deltaLink: unknown; pages: number }> {
  const entries: Record<string, unknown>[] = [];
  let page = String(start).startsWith('https:') ? await follow(start) : await directory.call(String(start), { roles });
  for (let pages = 1; ; pages += 1) {
    expect(page.status).toBe(200);
    entries.push(...valueOf(page));
    const next = page.json['@odata.nextLink'];
    if (next === undefined) return { entries, deltaLink: page.json['@odata.deltaLink'], pages };
    expect(page.json['@odata.deltaLink']).toBeUndefined();
    page = await follow(next);
  }
}
const change = (path: string, method: string, body?: unknown, call: Call = {}): Promise<Answer> =>
  directory.call(path, { method, ...(body !== undefined && { body }), roles, ...call });

describe('changes of groups', () => {
  it('begin with all groups and their members, in pages', async () => {
    const { entries, pages } = await round('/groups/delta?$top=10');
    expect(entries.map(({ id }) => id)).toEqual(
      Object.values(groups)
        .map(({ id }) => id)
        .sort(),
    );
    expect(pages).toBe(3);
    const design = entries.find(({ id }) => id === groups.design.id);
    expect(design?.['members@delta']).toHaveLength(4);
    expect(design).not.toHaveProperty('classification');
  });

  it('then are those since the last round: made, changed, joined, left, deleted, restored', async () => {
    const first = await round('/groups/delta?$select=displayName,members');
    expect((await round(first.deltaLink)).entries).toEqual([]);

    const made = await change('/groups', 'POST', {
      displayName: 'Golf',
      mailNickname: 'golf',
      mailEnabled: false,
      securityEnabled: true,
      'members@odata.bind': [url(people.rita.id)],
    });
    await change(`/groups/${groups.finance.id}`, 'PATCH', { displayName: 'Ledger' });
    await directory.add(groups.design.id, people.rita.id);
    await directory.drop(groups.design.id, people.chen.id);
    await change(`/groups/${groups.legalHold.id}`, 'DELETE');
    const second = await round(first.deltaLink);
    expect(second.entries).toEqual([
      {
        id: made.json['id'],
        displayName: 'Golf',
        'members@delta': [{ '@odata.type': '#microsoft.graph.user', id: people.rita.id }],
      },
      { id: groups.finance.id, displayName: 'Ledger' },
      {
        id: groups.design.id,
        displayName: 'Design Studio',
        'members@delta': [
          { '@odata.type': '#microsoft.graph.user', id: people.rita.id },
          { '@odata.type': '#microsoft.graph.user', id: people.chen.id, '@removed': { reason: 'deleted' } },
        ],
      },
      { id: groups.legalHold.id, '@removed': { reason: 'changed' } },
    ]);

    await change(`/directory/deletedItems/${groups.legalHold.id}/restore`, 'POST');
    const third = await round(second.deltaLink);
    expect(third.entries).toEqual([{ id: groups.legalHold.id, displayName: 'Legal Hold' }]);
    await change(`/groups/${groups.legalHold.id}`, 'DELETE');
    await change(`/directory/deletedItems/${groups.legalHold.id}`, 'DELETE');
    expect((await round(third.deltaLink)).entries).toEqual([
      { id: groups.legalHold.id, '@removed': { reason: 'deleted' } },
    ]);
    expect((await round(second.deltaLink)).entries).toHaveLength(1);
  });

  it('lose no member where a group changed first and last in a round of several pages', async () => {
    await directory.settings({ pageSize: 1 });
    const { deltaLink } = await round('/groups/delta?$select=id,members');
    await directory.add(groups.design.id, people.rita.id);
    await directory.add(groups.finance.id, people.rita.id);
    await directory.add(groups.design.id, people.ravi.id);
    const { entries, pages } = await round(deltaLink);
    expect(pages).toBe(2);
    expect(entries.map(({ id }) => id)).toEqual([groups.finance.id, groups.design.id]);
    expect(entries[1]?.['members@delta']).toHaveLength(2);
  });

  it('can begin at this moment', async () => {
    const { entries, deltaLink } = await round('/groups/delta?$deltatoken=latest&$select=displayName');
    expect(entries).toEqual([]);
    await change(`/groups/${groups.finance.id}`, 'PATCH', { displayName: 'Ledger' });
    expect((await round(deltaLink)).entries).toEqual([{ id: groups.finance.id, displayName: 'Ledger' }]);
  });

  it('tell of owners where owners are selected', async () => {
    const { deltaLink } = await round('/groups/delta?$select=displayName,owners');
    await directory.add(groups.design.id, people.mona.id, 'owners', { roles });
    await directory.add(groups.design.id, people.mona.id, 'members', { roles });
    const [entry] = (await round(deltaLink)).entries;
    expect(entry?.['owners@delta']).toHaveLength(1);
    expect(entry).not.toHaveProperty('members@delta');
  });

  it('wait until readers see them, and then come', async () => {
    const at = (seconds: number) => jest.setSystemTime(Date.parse('2026-11-24T09:00:00Z') + seconds * 1000);
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'queueMicrotask'] });
    at(0);
    await directory.settings({ replicationDelayMs: 10_000 });
    await directory.add(groups.design.id, people.rita.id);
    const { deltaLink, entries } = await round('/groups/delta?$select=id,members');
    expect(entries.find(({ id }) => id === groups.design.id)?.['members@delta']).toHaveLength(4);
    expect((await round(deltaLink)).entries).toEqual([]);
    at(11);
    const [entry] = (await round(deltaLink)).entries;
    expect(entry?.['members@delta']).toEqual([{ '@odata.type': '#microsoft.graph.user', id: people.rita.id }]);
  });

  it('take Group.Read.All, a token of their own and properties that there are', async () => {
    expect((await directory.call('/groups/delta', { roles: ['GroupMember.Read.All'] })).status).toBe(403);
    const forged = await directory.call('/groups/delta?$deltatoken=abc', { roles });
    expect([forged.status, errorOf(forged).code]).toEqual([400, 'Directory_ExpiredPageToken']);
    expect((await directory.call('/groups/delta?$select=colour', { roles })).status).toBe(400);
    expect((await directory.call('/groups/delta?$top=0', { roles })).status).toBe(400);
  });
});

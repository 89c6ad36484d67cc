import { apps, groups, people, tenant } from '../../../../local/demo-tenant';
import { openDirectory } from './support';

describe('the demo tenant', () => {
  it('has an id of its own for each person, group and app', () => {
    const ids = [
      ...Object.values(people).map(({ id }) => id),
      ...Object.values(groups).map(({ id }) => id),
      ...Object.values(apps).flatMap(({ clientId, objectId }) => [clientId, objectId]),
      tenant.identity.clientId,
      tenant.identity.objectId,
      tenant.apiClientId,
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('names as managers, owners and members only those that it has', () => {
    const known = new Set([
      ...Object.keys(people),
      ...Object.keys(groups).map((alias) => `group:${alias}`),
      ...Object.keys(apps).map((alias) => `app:${alias}`),
    ]);
    const named = [
      ...Object.values(people).flatMap(({ manager }) => manager ?? []),
      ...Object.values(groups).flatMap(({ owners, members }) => [...owners, ...members]),
    ];
    expect(named.filter((alias) => !known.has(alias))).toEqual([]);
  });

  it('gives each group a mail nickname that Graph would take, and no two the same', () => {
    const nicknames = Object.values(groups).map(({ mailNickname }) => mailNickname);
    expect(new Set(nicknames).size).toBe(nicknames.length);
    for (const nickname of nicknames) expect(nickname).toMatch(/^[A-Za-z0-9-]{1,64}$/);
  });

  it('is in the directory whole, once, however often the directory is opened', () => {
    const directory = openDirectory();
    const count = (type: 'user' | 'group'): number => directory.store.count({ view: 'now', types: [type] });
    expect(count('user')).toBe(Object.keys(people).length);
    expect(count('group')).toBe(Object.keys(groups).length);
    expect(directory.store.isEmpty()).toBe(false);
    directory.close();
  });

  it('stays out of a directory that is to start empty', () => {
    const directory = openDirectory({ seed: 'none' });
    expect(directory.store.isEmpty()).toBe(true);
    directory.close();
  });
});

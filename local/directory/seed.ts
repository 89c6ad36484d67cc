import { apps, groups, people, tenant, userPrincipalNameOf } from '../demo-tenant';
import type { Group, Person } from '../demo-tenant';
import { groupDefaults, userDefaults } from './properties';
import type { NewObject, Store } from './store';

/** When the demo tenant came to be: long enough ago for nothing in it to be fresh. */
const FOUNDED = '2024-03-01T09:00:00Z';

const byAlias = <T>(record: Record<string, T>): ReadonlyMap<string, T> => new Map(Object.entries(record));
const peopleByAlias = byAlias(people);
const groupsByAlias = byAlias(groups);
const appsByAlias = byAlias(apps);

/** The id behind `olivia`, `group:design` or `app:directoryBot`. */
function idOf(alias: string): string {
  const [prefix, name] = alias.includes(':') ? alias.split(':') : ['person', alias];
  const id =
    prefix === 'group'
      ? groupsByAlias.get(name ?? '')?.id
      : prefix === 'app'
        ? appsByAlias.get(name ?? '')?.objectId
        : peopleByAlias.get(name ?? '')?.id;
  if (id === undefined) throw new Error(`The demo tenant knows no "${alias}".`);
  return id;
}

function userFrom({ manager: _manager, roles: _roles, ...person }: Person): NewObject {
  return {
    type: 'user',
    properties: {
      ...userDefaults,
      ...person,
      otherMails: person.otherMails ?? [],
      userPrincipalName: userPrincipalNameOf(person),
      createdDateTime: FOUNDED,
    },
  };
}

function groupFrom({ owners: _owners, members: _members, ...group }: Group): NewObject {
  return {
    type: 'group',
    properties: {
      ...groupDefaults,
      ...group,
      resourceProvisioningOptions: group.resourceProvisioningOptions ?? [],
      proxyAddresses: group.mail === null ? [] : [`SMTP:${group.mail}`],
      createdDateTime: FOUNDED,
      renewedDateTime: FOUNDED,
    },
  };
}

const servicePrincipal = (
  id: string,
  appId: string,
  displayName: string,
  servicePrincipalType: 'Application' | 'ManagedIdentity',
): NewObject => ({
  type: 'servicePrincipal',
  properties: { id, appId, displayName, appDisplayName: displayName, accountEnabled: true, servicePrincipalType },
});

/** Fills an empty store with the demo tenant; leaves any other as it is. */
export function seedDemoTenant(store: Store): void {
  if (!store.isEmpty()) return;
  const founded = Date.parse(FOUNDED);
  store.transaction(() => {
    for (const person of Object.values(people)) store.insert(userFrom(person), founded);
    for (const group of Object.values(groups)) store.insert(groupFrom(group), founded);
    for (const app of Object.values(apps)) {
      store.insert(servicePrincipal(app.objectId, app.clientId, app.displayName, 'Application'), founded);
    }
    const { objectId, clientId } = tenant.identity;
    store.insert(servicePrincipal(objectId, clientId, 'Gatehouse', 'ManagedIdentity'), founded);
    for (const person of Object.values(people)) {
      if (person.manager !== undefined) store.addLink('manager', person.id, idOf(person.manager), founded);
    }
    for (const group of Object.values(groups)) {
      for (const owner of group.owners) store.addLink('owner', group.id, idOf(owner), founded);
      for (const member of group.members) store.addLink('member', group.id, idOf(member), founded);
    }
  });
}

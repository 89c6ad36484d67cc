import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { groups, people } from '../../../local/demo-tenant';
import { openDirectory } from '../../unit/local/directory/support';
import type { Answer } from '../../unit/local/directory/support';
import { addPrincipal, GRAPH_APP_ID, rolesOf, startGraph, TOKEN } from './entra-graph';
import type { ServicePrincipal, TestGraph } from './entra-graph';
import { runScript } from './script';
import type { Ended } from './script';

interface Feature {
  permissions: string[];
  why: string;
}
const features = JSON.parse(
  readFileSync(join(__dirname, '../../../infra/graph-permissions/features.json'), 'utf8'),
) as Record<string, Feature>;
const permissionsOf = (name: string): string[] => features[name]?.permissions ?? [];
const everything = Object.values(features).flatMap(({ permissions }) => permissions);

describe('the permissions of each feature', () => {
  let directory: ReturnType<typeof openDirectory>;
  beforeEach(() => {
    directory = openDirectory();
  });
  afterEach(() => directory.close());

  const person = people.rita.id;
  const valuesOf = ({ json }: Answer): Record<string, unknown>[] => json['value'] as Record<string, unknown>[];

  /** Makes the calls of a feature, as the app makes them, in a directory that refuses what Graph refuses. Resolves to whether all gave what it needs. */
  const works: Record<string, (roles: string[]) => Promise<boolean>> = {
    join: async (roles) => {
      const owners = await directory.call(
        `/groups/${groups.design.id}/owners/microsoft.graph.user?$select=id,mail,accountEnabled`,
        { roles },
      );
      const who = await directory.call(`/users/${person}?$select=id,accountEnabled,userType`, { roles });
      const answers = [
        await directory.call(`/groups/${groups.design.id}?$select=id,isAssignableToRole`, { roles }),
        owners,
        who,
        await directory.call(`/users/${person}/checkMemberGroups`, {
          method: 'POST',
          body: { groupIds: [groups.design.id] },
          roles,
        }),
        await directory.add(groups.design.id, person, 'members', { roles }),
        await directory.drop(groups.design.id, person, 'members', { roles }),
      ];
      return (
        answers.every(({ status }) => status < 300) &&
        typeof who.json['accountEnabled'] === 'boolean' &&
        valuesOf(owners).every(({ accountEnabled }) => typeof accountEnabled === 'boolean')
      );
    },
    hidden: async (roles) =>
      valuesOf(await directory.call(`/groups/${groups.hidden.id}/members`, { roles })).length > 0,
    'own-groups': async (roles) => {
      const created = await directory.call('/groups', {
        method: 'POST',
        roles,
        body: {
          displayName: 'Golf',
          mailNickname: 'golf',
          mailEnabled: false,
          securityEnabled: true,
          'owners@odata.bind': [`https://graph.microsoft.com/v1.0/users/${person}`],
        },
      });
      const id = String(created.json['id']);
      const answers = [
        created,
        await directory.call(`/groups/${id}`, { method: 'PATCH', body: { description: 'Self help' }, roles }),
        await directory.add(id, people.ravi.id, 'owners', { roles }),
        await directory.call('/directoryObjects/validateProperties', {
          method: 'POST',
          body: { entityType: 'Group', displayName: 'Chess', mailNickname: 'chess' },
          roles,
        }),
      ];
      return answers.every(({ status }) => status < 300);
    },
    naming: async (roles) => (await directory.call('/groupSettings', { roles })).status === 200,
    'cloud-managed': async (roles) =>
      (await directory.call(`/groups/${groups.cloudManaged.id}/onPremisesSyncBehavior`, { roles })).json[
        'isCloudManaged'
      ] === true,
  };

  test('are listed for the features that there are', () => {
    expect(Object.keys(features).sort()).toEqual(Object.keys(works).sort());
  });

  test.each(Object.keys(features))('%s: enough, and not one too many', async (name) => {
    const given = permissionsOf(name);
    const others = name === 'join' ? [] : permissionsOf('join');
    const attempt = (roles: string[]): Promise<boolean> => works[name]!([...others, ...roles]);
    for (const left of given)
      expect([left, await attempt(given.filter((each) => each !== left))]).toEqual([left, false]);
    expect(await attempt(given)).toBe(true);
  });
});

describe('grant.mjs', () => {
  let graph: TestGraph;
  let identity: ServicePrincipal;
  beforeEach(async () => {
    graph = await startGraph([...everything, 'Mail.Send', 'Sites.Read.All']);
    identity = addPrincipal(graph);
  });
  afterEach(() => graph.close());

  const grant = (...args: string[]): Promise<Ended> =>
    runScript('graph-permissions/grant.mjs', ['--identity', identity.id, ...args], {
      GRAPH_ENDPOINT: graph.url,
      GATEHOUSE_GRAPH_TOKEN: TOKEN,
    });
  /** Somebody else gave the identity another permission. */
  const giveByHand = (value: string): void => {
    const resource = graph.principals[0]!;
    graph.assignments.push({
      id: randomUUID(),
      principalId: identity.id,
      principalDisplayName: identity.displayName,
      resourceId: resource.id,
      appRoleId: resource.appRoles.find((role) => role.value === value)!.id,
    });
  };

  test('gives what joining needs, and nothing else', async () => {
    const { code, output } = await grant();
    expect(code).toBe(0);
    expect(rolesOf(graph, identity.id)).toEqual([...permissionsOf('join')].sort());
    expect(output).toContain('GroupMember.ReadWrite.All: given to id-gatehouse-dev');
    expect(output).toContain(`--identity ${identity.id} --features join --undo`);
  });

  test('a repeat changes nothing', async () => {
    await grant('--features', 'join,hidden,naming');
    const before = [...graph.writes];
    const { code, output } = await grant('--features', 'join,hidden,naming');
    expect(code).toBe(0);
    expect(graph.writes).toEqual(before);
    expect(output).toContain('Member.Read.Hidden: id-gatehouse-dev has it');
  });

  test('what somebody gave in between counts as given', async () => {
    // the list was read, then another run was faster: Graph answers 400
    giveByHand('User.Read.All');
    graph.faults.push(
      { status: 200, body: identity },
      { status: 200, body: graph.principals[0] },
      { status: 200, body: { value: [] } },
    );
    const { code, output } = await grant();
    expect(code).toBe(0);
    expect(output).toContain('User.Read.All: id-gatehouse-dev has it');
    expect(rolesOf(graph, identity.id)).toEqual([...permissionsOf('join')].sort());
  });

  test('a dry run tells and changes nothing', async () => {
    const { code, output } = await grant('--features', 'own-groups', '--dry-run');
    expect(code).toBe(0);
    expect(output).toContain('Group.ReadWrite.All: would be given to id-gatehouse-dev');
    expect(graph.writes).toEqual([]);
  });

  test('undo takes back what the features need, page by page, and leaves what others gave', async () => {
    giveByHand('Mail.Send');
    await grant('--features', Object.keys(features).join(','));
    expect(rolesOf(graph, identity.id)).toHaveLength(everything.length + 1);
    const { code } = await grant('--undo', '--features', 'own-groups,naming');
    expect(code).toBe(0);
    expect(rolesOf(graph, identity.id)).not.toContain('Group.ReadWrite.All');
    expect(rolesOf(graph, identity.id)).toContain('GroupMember.ReadWrite.All');
    await grant('--undo');
    expect(rolesOf(graph, identity.id)).toEqual(['Mail.Send']);
    const again = await grant('--undo');
    expect([again.code, again.output]).toEqual([0, expect.stringContaining('does not have it')]);
  });

  test('a dry run of undo changes nothing', async () => {
    await grant();
    const { output } = await grant('--undo', '--dry-run', '--features', 'join');
    expect(output).toContain('User.Read.All: would be taken from id-gatehouse-dev');
    expect(rolesOf(graph, identity.id)).toEqual([...permissionsOf('join')].sort());
  });

  test('show tells what there is, and points at what no feature needs', async () => {
    giveByHand('Sites.Read.All');
    await grant();
    const writes = graph.writes.length;
    const { code, output } = await grant('--show');
    expect(code).toBe(0);
    expect(output).toContain('yes GroupMember.ReadWrite.All');
    expect(output).toContain('no  Member.Read.Hidden');
    expect(output).toContain('no feature needs Sites.Read.All');
    expect(graph.writes).toHaveLength(writes);
  });

  test('waits where Graph throttles, and an object that is not everywhere yet is asked for again', async () => {
    graph.faults.push(
      { status: 429, headers: { 'retry-after': '0' } },
      { status: 503, headers: { 'retry-after': '0' } },
    );
    const { code } = await grant();
    expect(code).toBe(0);
    expect(rolesOf(graph, identity.id)).toEqual([...permissionsOf('join')].sort());
  });

  test('a permission that this cloud lacks stops everything before the first is given', async () => {
    const resource = graph.principals[0]!;
    resource.appRoles = resource.appRoles.filter(({ value }) => value !== 'User.Read.All');
    const { code, errors } = await grant();
    expect(code).toBe(1);
    expect(errors).toBe('Microsoft Graph has no app role User.Read.All for this.\n');
    expect(graph.writes).toEqual([]);
  });

  test('a role that is switched off is not given', async () => {
    graph.principals[0]!.appRoles.find(({ value }) => value === 'User.Read.All')!.isEnabled = false;
    expect((await grant()).code).toBe(1);
    expect(graph.writes).toEqual([]);
  });

  test.each([
    ['a client id instead of an object id', () => identity.appId, [], 'not its client id'],
    ['something that is no id', () => 'id-gatehouse-dev', [], 'Give the object id'],
    ['an unknown feature', () => identity.id, ['--features', 'join,everything'], 'There is no feature "everything"'],
    ['an unknown option', () => identity.id, ['--force'], "Unknown option '--force'"],
    ['show together with undo', () => identity.id, ['--show', '--undo'], '--show stands alone.'],
  ])('%s is explained in a sentence', async (_name, id, args, sentence) => {
    const { code, errors } = await runScript('graph-permissions/grant.mjs', ['--identity', id(), ...args], {
      GRAPH_ENDPOINT: graph.url,
      GATEHOUSE_GRAPH_TOKEN: TOKEN,
    });
    expect(code).toBe(1);
    expect(errors).toContain(sentence);
    expect(errors).not.toContain('    at ');
    expect(graph.writes).toEqual([]);
  });

  test('another principal than a managed identity only where that is wanted', async () => {
    identity = addPrincipal(graph, 'Application');
    const refused = await grant();
    expect(refused.code).toBe(1);
    expect(refused.errors).toContain('is no managed identity but of type Application');
    expect(graph.writes).toEqual([]);
    expect((await grant('--any-principal')).code).toBe(0);
    expect(rolesOf(graph, identity.id)).toEqual([...permissionsOf('join')].sort());
  });

  test('a missing right, a bad token and a foreign next link are told as such', async () => {
    graph.mayWrite = false;
    const denied = await grant();
    expect([denied.code, denied.errors]).toEqual([1, expect.stringContaining('Your account may not do this')]);

    const unknown = await runScript('graph-permissions/grant.mjs', ['--identity', identity.id], {
      GRAPH_ENDPOINT: graph.url,
      GATEHOUSE_GRAPH_TOKEN: 'stale',
    });
    expect([unknown.code, unknown.errors]).toEqual([1, expect.stringContaining('run "az login" again')]);

    graph.faults.push(
      { status: 200, body: identity },
      { status: 200, body: graph.principals.find(({ appId }) => appId === GRAPH_APP_ID) },
      { status: 200, body: { value: [], '@odata.nextLink': 'https://graph.example/v1.0/stolen' } },
    );
    const foreign = await grant();
    expect([foreign.code, foreign.errors]).toEqual([1, expect.stringContaining('named another address')]);
  });

  test('no token is sent over plain http to another machine', async () => {
    const { code, errors } = await runScript('graph-permissions/grant.mjs', ['--identity', identity.id], {
      GRAPH_ENDPOINT: 'http://graph.example',
      GATEHOUSE_GRAPH_TOKEN: TOKEN,
    });
    expect([code, errors]).toEqual([1, 'GRAPH_ENDPOINT is http://graph.example: give an https address.\n']);
  });
});

import { Hono } from 'hono';
import { z } from 'zod';
import { groupRead, groupWrite, hiddenMembers, may, memberWrite, need, roleAssignment, userDelete } from './access';
import type { Requirement } from './access';
import { groupOf } from './groups';
import { badRequest, denied, notFound } from './problems';
import type { GraphCall, GraphEnv } from './problems';
import { isDynamic, isMasteredOnPremises, isUnified } from './properties';
import type { DirectoryObject, Group, ObjectType } from './properties';
import { answerCollection, bodyOf, collectionQuery, objectId } from './query';
import type { Graph } from './query';
import type { Sql } from './store';

type Kind = 'member' | 'owner';

const referenceSchema = z.object({ '@odata.id': z.string() });

/** The id at the end of `…/directoryObjects/{id}` (or users, groups, servicePrincipals). */
function referencedId(url: string): string {
  const [, id] = /\/(?:directoryObjects|users|groups|servicePrincipals)\/([^/?#]+)$/.exec(url) ?? [];
  if (id === undefined) throw badRequest(`Invalid URL format specified in @odata.id '${url}'.`);
  return objectId(decodeURIComponent(id));
}

/** Refuses what Graph refuses to change, in the order in which it looks. */
function checkWritable(c: GraphCall, graph: Graph, group: Group, kind: Kind): void {
  const { id } = group.properties;
  const permissions: Requirement = kind === 'member' ? memberWrite : groupWrite;
  // An app that owns a group may change who is in it without any permission on all groups.
  const owns = kind === 'member' && graph.store.hasLink('owner', id, c.get('claims').oid);
  if (!owns) need(c, permissions);
  if (group.properties.isAssignableToRole === true) need(c, roleAssignment);
  if (group.properties.isManagementRestricted === true) throw denied();
  if (kind === 'member' && isDynamic(group)) throw denied();
  if (isMasteredOnPremises(group)) {
    throw badRequest(
      'Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.',
    );
  }
  if (group.properties.mailEnabled && !isUnified(group)) {
    throw badRequest('Cannot Update a mail-enabled security groups and or distribution list.');
  }
}

const allowed: Record<Kind, readonly ObjectType[]> = {
  member: ['user', 'group', 'servicePrincipal'],
  owner: ['user', 'servicePrincipal'],
};

function checkTarget(group: Group, target: DirectoryObject, kind: Kind): void {
  const intoUnified = kind === 'member' && isUnified(group) && target.type !== 'user';
  const unifiedInside = target.type === 'group' && isUnified(target);
  const itself = target.properties.id === group.properties.id;
  if (!allowed[kind].includes(target.type) || intoUnified || unifiedInside || itself) {
    throw badRequest(`The object '${target.properties.id}' cannot be added to the '${kind}s' of this group.`);
  }
}

/** The group to write on; the caller's right is asked first, so that a stranger learns nothing from a 404. */
function writableGroup(c: GraphCall, graph: Graph, id: string, kind: Kind): Group {
  const group = graph.store.findGroup(objectId(id), 'now');
  if (group === undefined) {
    need(c, kind === 'member' ? memberWrite : groupWrite);
    throw notFound(id);
  }
  checkWritable(c, graph, group, kind);
  return group;
}

function add(graph: Graph, group: Group, targetId: string, kind: Kind): void {
  const { store } = graph;
  const target = store.find(targetId, 'now');
  if (target === undefined) throw notFound(targetId);
  if (store.isFresh(group)) throw notFound(group.properties.id);
  if (store.isFresh(target)) {
    throw badRequest('The source resource object or one of the objects being referenced do not exist.');
  }
  checkTarget(group, target, kind);
  if (store.hasLink(kind, group.properties.id, targetId)) {
    throw badRequest(
      `One or more added object references already exist for the following modified properties: '${kind}s'.`,
    );
  }
  store.addLink(kind, group.properties.id, targetId);
}

function drop(graph: Graph, group: Group, targetId: string, kind: Kind): void {
  const { store } = graph;
  const { id } = group.properties;
  const target = store.find(targetId, 'now');
  if (target === undefined || !store.hasLink(kind, id, targetId)) throw notFound(targetId);
  if (kind === 'owner' && target.type === 'user') {
    const owners = store.count({ view: 'now', types: ['user'], within: store.targets('owner', id, 'now') });
    if (owners <= 1) {
      throw badRequest('The group must have at least one owner, hence this owner cannot be removed.');
    }
  }
  store.removeLink(kind, id, targetId);
}

/** `DELETE …/members/{id}` without `/$ref` deletes the object itself, where the app may: a known trap of Graph. */
function deleteObject(c: GraphCall, graph: Graph, id: string): Response {
  const target = graph.store.find(objectId(id), 'now');
  if (target?.type === 'user') need(c, userDelete);
  else need(c, groupWrite);
  if (target === undefined) throw notFound(id);
  if (target.type === 'servicePrincipal') throw denied();
  graph.store.remove(target.properties.id);
  return c.body(null, 204);
}

const nobody: Sql = { text: 'SELECT NULL WHERE 0', params: [] };

/** `/groups/{id}/members`, `/owners` and `/transitiveMembers` */
export function groupLinks(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();

  type Relation = 'members' | 'owners' | 'transitiveMembers';
  const within = (c: GraphCall, group: Group, relation: Relation): Sql => {
    const { id, visibility } = group.properties;
    if (relation === 'owners') return graph.store.targets('owner', id, 'read');
    if (visibility === 'HiddenMembership' && !may(c, hiddenMembers)) return nobody;
    return relation === 'members'
      ? graph.store.targets('member', id, 'read')
      : graph.store.transitiveMembers(id, 'read');
  };
  // Graph v1.0 does not list service principals among owners.
  const listed = (relation: Relation): readonly ObjectType[] =>
    relation === 'owners' ? ['user', 'group'] : ['user', 'group', 'servicePrincipal'];

  for (const relation of ['members', 'owners', 'transitiveMembers'] as const) {
    app.get(`/groups/:id/${relation}`, (c) => {
      need(c, groupRead);
      const types = listed(relation);
      const query = collectionQuery(c, types, true);
      const group = groupOf(graph, c.req.param('id'));
      return answerCollection(c, graph, query, 'directoryObjects', { types, within: within(c, group, relation) });
    });
    app.get(`/groups/:id/${relation}/microsoft.graph.user`, (c) => {
      need(c, groupRead);
      const query = collectionQuery(c, ['user'], true);
      const group = groupOf(graph, c.req.param('id'));
      return answerCollection(c, graph, query, 'users', { types: ['user'], within: within(c, group, relation) });
    });
  }

  for (const kind of ['member', 'owner'] as const) {
    app.post(`/groups/:id/${kind}s/$ref`, async (c) => {
      const body = await bodyOf(c, referenceSchema);
      graph.store.transaction(() => {
        const group = writableGroup(c, graph, c.req.param('id'), kind);
        add(graph, group, referencedId(body['@odata.id']), kind);
      });
      return c.body(null, 204);
    });
    app.delete(`/groups/:id/${kind}s/:target/$ref`, (c) => {
      graph.store.transaction(() => {
        const group = writableGroup(c, graph, c.req.param('id'), kind);
        drop(graph, group, objectId(c.req.param('target')), kind);
      });
      return c.body(null, 204);
    });
    app.delete(`/groups/:id/${kind}s/:target`, (c) => deleteObject(c, graph, c.req.param('target')));
  }

  return app;
}

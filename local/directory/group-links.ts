import { Hono } from 'hono';
import { z } from 'zod';
import { groupRead, groupWrite, hiddenMembers, may, memberWrite, need, userDelete } from './access';
import { addReference, checkWritable, referencedId } from './group-references';
import type { ReferenceKind } from './group-references';
import { groupOf } from './group-lookup';
import { badRequest, denied, notFound, unsupportedQuery } from './problems';
import type { GraphCall, GraphEnv } from './problems';
import type { Group, ObjectType } from './properties';
import { answerCollection, answerCount, bodyOf, collectionQuery, eventual, objectId, refuseOptions } from './query';
import type { Graph } from './query';
import type { Sql } from './store';

const referenceSchema = z.object({ '@odata.id': z.string() });

/** The group to write on; the caller's right is asked first, so that a stranger learns nothing from a 404. */
function writableGroup(c: GraphCall, graph: Graph, id: string, kind: ReferenceKind): Group {
  const group = graph.store.findGroup(objectId(id), 'now');
  if (group === undefined) {
    need(c, kind === 'member' ? memberWrite : groupWrite);
    throw notFound(id);
  }
  checkWritable(c, graph, group, kind);
  return group;
}

function drop(graph: Graph, group: Group, targetId: string, kind: ReferenceKind): void {
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

/**
 * `GET /groups/{id}/members`, `/owners` and `/transitiveMembers`, each also `/microsoft.graph.user` and `/$count`;
 * `POST …/members/$ref` and `…/owners/$ref`, `DELETE …/{id}/$ref`, and the trap `DELETE …/members/{id}`.
 */
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
    app.get(`/groups/:id/${relation}/$count`, (c) => {
      need(c, groupRead);
      refuseOptions(c, []);
      if (!eventual(c)) throw unsupportedQuery('$count is not currently supported.');
      const group = groupOf(graph, c.req.param('id'));
      const types = listed(relation);
      return answerCount(c, graph.store.count({ view: 'read', types, within: within(c, group, relation) }));
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
        addReference(graph, group, referencedId(body['@odata.id']), kind);
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

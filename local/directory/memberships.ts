import { Hono } from 'hono';
import { groupRead, hiddenMembers, may, membershipCheck, need } from './access';
import { groupOf } from './group-lookup';
import type { GraphCall, GraphEnv } from './problems';
import type { ObjectType } from './properties';
import { answerCollection, collectionQuery } from './query';
import type { Graph } from './query';
import type { Sql } from './store';
import { userOf } from './users';

const shownTo = (c: GraphCall, groupIds: Sql): Sql =>
  may(c, hiddenMembers)
    ? groupIds
    : {
        text: `SELECT h.id FROM objects h WHERE h.id IN (${groupIds.text})
          AND json_extract(h.properties, '$.visibility') IS NOT 'HiddenMembership'`,
        params: groupIds.params,
      };

/**
 * `GET /users/{id}/memberOf`, `/transitiveMemberOf` and `/ownedObjects`, `GET /groups/{id}/memberOf` and
 * `/transitiveMemberOf`, each also with the cast `/microsoft.graph.group`. Groups of hidden membership are left out
 * for an app that may not see who is in them.
 */
export function memberships(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();
  const { store } = graph;
  const types: readonly ObjectType[] = ['group'];

  /** Without a cast the collection is one of directory objects, each with its type. */
  const answer = (c: GraphCall, within: Sql, cast: boolean): Response =>
    answerCollection(c, graph, collectionQuery(c, types, true), cast ? 'groups' : 'directoryObjects', {
      types,
      within,
      typed: !cast,
    });

  const relations = {
    memberOf: (id: string) => store.sources('member', id, 'read'),
    transitiveMemberOf: (id: string) => store.transitiveGroups(id, 'read'),
  };
  const casts = ['', '/microsoft.graph.group'] as const;
  for (const cast of casts) {
    for (const relation of ['memberOf', 'transitiveMemberOf'] as const) {
      app.get(`/users/:id/${relation}${cast}`, (c) => {
        need(c, membershipCheck);
        const { id } = userOf(graph, c.req.param('id')).properties;
        return answer(c, shownTo(c, relations[relation](id)), cast !== '');
      });
      app.get(`/groups/:id/${relation}${cast}`, (c) => {
        need(c, groupRead);
        const { id } = groupOf(graph, c.req.param('id')).properties;
        return answer(c, shownTo(c, relations[relation](id)), cast !== '');
      });
    }
    app.get(`/users/:id/ownedObjects${cast}`, (c) => {
      need(c, membershipCheck);
      const { id } = userOf(graph, c.req.param('id')).properties;
      return answer(c, store.sources('owner', id, 'read'), cast !== '');
    });
  }

  return app;
}

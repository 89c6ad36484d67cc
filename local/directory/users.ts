import { Hono } from 'hono';
import { z } from 'zod';
import { hiddenMembers, may, membershipCheck, need, userDelete, userRead, userReadAll } from './access';
import { badRequest, denied, notFound } from './problems';
import type { GraphCall, GraphEnv } from './problems';
import { basicUserProperties } from './properties';
import type { User } from './properties';
import {
  answerCollection,
  answerData,
  bodyOf,
  collectionQuery,
  context,
  entitySelect,
  isGuid,
  objectId,
  visible,
} from './query';
import type { Graph } from './query';
import type { View } from './store';

/** The user that a path names by id or user principal name; 404 where there is none. */
export function userOf(graph: Graph, idOrName: string, view: View = 'read'): User {
  const user = graph.store.findUser(idOrName, view);
  if (user === undefined) throw notFound(idOrName);
  return user;
}

/** With `User.ReadBasic.All` alone, asking for more than the basic properties is refused. */
function needProperties(c: GraphCall, names: readonly string[]): void {
  need(c, userRead);
  if (!may(c, userReadAll) && names.some((name) => !basicUserProperties.has(name))) throw denied();
}

/** A membership check answers for at most so many groups. */
const CHECKED_AT_ONCE = 20;

const checkSchema = z.object({ groupIds: z.array(z.string()).min(1) });

/** `/users` */
export function users(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();

  app.get('/users', (c) => {
    need(c, userRead);
    const query = collectionQuery(c, ['user']);
    needProperties(c, [...(query.select ?? []), ...(query.filter?.properties ?? [])]);
    return answerCollection(c, graph, query, 'users', { types: ['user'] });
  });

  app.get('/users/:id', (c) => {
    need(c, userRead);
    const select = entitySelect(c, ['user']);
    needProperties(c, select ?? []);
    const user = userOf(graph, c.req.param('id'));
    return answerData(c, { '@odata.context': context(graph, 'users', select, true), ...visible(c, user, select) });
  });

  app.get('/users/:id/manager', (c) => {
    need(c, userReadAll);
    const select = entitySelect(c, ['user']);
    const user = userOf(graph, c.req.param('id'));
    const within = graph.store.targets('manager', user.properties.id, 'read');
    const [manager] = graph.store.list({ view: 'read', types: ['user'], within, limit: 1 });
    if (manager === undefined) throw notFound('manager');
    return answerData(c, {
      '@odata.context': context(graph, 'directoryObjects', select, true),
      '@odata.type': '#microsoft.graph.user',
      ...visible(c, manager, select),
    });
  });

  app.post('/users/:id/checkMemberGroups', async (c) => {
    need(c, membershipCheck);
    const { groupIds } = await bodyOf(c, checkSchema);
    const malformed = groupIds.find((id) => !isGuid(id));
    if (malformed !== undefined) throw badRequest(`Invalid object identifier '${malformed}'.`);
    if (groupIds.length > CHECKED_AT_ONCE) {
      throw badRequest(`The number of items in 'groupIds' exceeds the maximum of ${CHECKED_AT_ONCE}.`);
    }
    const user = userOf(graph, c.req.param('id'));
    const member = new Set(graph.store.ids(graph.store.transitiveGroups(user.properties.id, 'read')));
    const shown = (id: string): boolean =>
      may(c, hiddenMembers) || graph.store.findGroup(id)?.properties.visibility !== 'HiddenMembership';
    return answerData(c, {
      '@odata.context': context(graph, 'Collection(Edm.String)'),
      value: [...new Set(groupIds.map(objectId))].filter((id) => member.has(id) && shown(id)),
    });
  });

  app.delete('/users/:id', (c) => {
    need(c, userDelete);
    graph.store.remove(userOf(graph, c.req.param('id'), 'now').properties.id);
    return c.body(null, 204);
  });

  return app;
}

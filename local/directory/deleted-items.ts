import { Hono } from 'hono';
import { groupReadAll, groupWrite, need, userDelete, userReadAll } from './access';
import { isNicknameTaken } from './group-writes';
import { renew } from './lifecycle';
import { conflict, denied, notFound } from './problems';
import type { GraphCall, GraphEnv } from './problems';
import type { DirectoryObject } from './properties';
import { answerCollection, answerData, collectionQuery, context, entitySelect, objectId, withType } from './query';
import type { Graph } from './query';

const types = ['user', 'group', 'servicePrincipal'] as const;

const mayRead = (c: GraphCall, type: DirectoryObject['type']): void => {
  if (type === 'servicePrincipal') throw denied();
  need(c, type === 'group' ? groupReadAll : userReadAll);
};
const mayWrite = (c: GraphCall, type: DirectoryObject['type']): void => {
  if (type === 'servicePrincipal') throw denied();
  need(c, type === 'group' ? groupWrite : userDelete);
};

/**
 * `GET /directory/deletedItems/microsoft.graph.group` and `…/microsoft.graph.user`, `GET|DELETE
 * /directory/deletedItems/{id}`, `POST …/{id}/restore`. Groups of both kinds and users stay for 30 days of the stack's
 * clock.
 */
export function deletedItems(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();
  const { store } = graph;

  for (const type of ['group', 'user'] as const) {
    app.get(`/directory/deletedItems/microsoft.graph.${type}`, (c) => {
      mayRead(c, type);
      const query = collectionQuery(c, [type]);
      return answerCollection(c, graph, query, `${type}s`, { types: [type], view: 'deleted' });
    });
  }

  const deletedOf = (id: string): DirectoryObject => {
    const found = store.find(objectId(id), 'deleted');
    if (found === undefined) throw notFound(id);
    return found;
  };

  app.get('/directory/deletedItems/:id', (c) => {
    const select = entitySelect(c, types);
    const found = deletedOf(c.req.param('id'));
    mayRead(c, found.type);
    return answerData(c, {
      '@odata.context': context(graph, 'directoryObjects', select, true),
      ...withType(c, found, select),
    });
  });

  app.post('/directory/deletedItems/:id/restore', (c) => {
    const restored = store.transaction(() => {
      const found = deletedOf(c.req.param('id'));
      mayWrite(c, found.type);
      const { id } = found.properties;
      if (found.type === 'group') {
        const { mailEnabled, mailNickname } = found.properties;
        if (mailEnabled && isNicknameTaken(graph, mailNickname, id)) throw conflict('mailNickname');
      }
      store.restore(id);
      const group = store.findGroup(id, 'now');
      // One that its expiration deleted begins a new term, or it would be gone again at once.
      const expiration = group?.properties.expirationDateTime ?? null;
      if (group !== undefined && expiration !== null && Date.parse(expiration) <= Date.now()) renew(store, group);
      return store.find(id, 'now') ?? found;
    });
    return answerData(c, {
      '@odata.context': context(graph, 'directoryObjects', undefined, true),
      ...withType(c, restored, undefined),
    });
  });

  app.delete('/directory/deletedItems/:id', (c) => {
    store.transaction(() => {
      const found = deletedOf(c.req.param('id'));
      mayWrite(c, found.type);
      store.purge(found.properties.id);
    });
    return c.body(null, 204);
  });

  return app;
}

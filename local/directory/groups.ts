import { Hono } from 'hono';
import { groupRead, groupWrite, need, syncBehaviorRead } from './access';
import { notFound } from './problems';
import type { GraphEnv } from './problems';
import type { Group } from './properties';
import { answerCollection, answerData, collectionQuery, context, entitySelect, objectId, visible } from './query';
import type { Graph } from './query';
import type { View } from './store';

/** The group that a path names: 400 where that is no id, 404 where there is none. */
export function groupOf(graph: Graph, id: string, view: View = 'read'): Group {
  const group = graph.store.findGroup(objectId(id), view);
  if (group === undefined) throw notFound(id);
  return group;
}

/** `/groups` */
export function groups(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();

  app.get('/groups', (c) => {
    need(c, groupRead);
    return answerCollection(c, graph, collectionQuery(c, ['group']), 'groups', { types: ['group'] });
  });

  app.get('/groups/:id', (c) => {
    need(c, groupRead);
    const select = entitySelect(c, ['group']);
    const group = groupOf(graph, c.req.param('id'));
    return answerData(c, {
      '@odata.context': context(graph, 'groups', select, true),
      ...visible(c, group, select),
    });
  });

  app.get('/groups/:id/onPremisesSyncBehavior', (c) => {
    need(c, syncBehaviorRead);
    const group = groupOf(graph, c.req.param('id'));
    return answerData(c, {
      '@odata.context': context(graph, `groups('${group.properties.id}')/onPremisesSyncBehavior`, undefined, true),
      id: group.properties.id,
      isCloudManaged: group.properties.isCloudManaged,
    });
  });

  app.delete('/groups/:id', (c) => {
    need(c, groupWrite);
    const group = groupOf(graph, c.req.param('id'), 'now');
    graph.store.remove(group.properties.id);
    return c.body(null, 204);
  });

  return app;
}

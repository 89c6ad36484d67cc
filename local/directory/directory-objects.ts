import { Hono } from 'hono';
import { z } from 'zod';
import { need, objectRead } from './access';
import { badRequest, notFound } from './problems';
import type { GraphEnv } from './problems';
import type { ObjectType } from './properties';
import { answerData, bodyOf, context, entitySelect, objectId, withType } from './query';
import type { Graph } from './query';

const types: readonly ObjectType[] = ['user', 'group', 'servicePrincipal'];

const idsSchema = z.object({
  ids: z.array(z.string()).min(1),
  types: z.array(z.string()).optional(),
});

/** Ids that one `getByIds` takes. */
const IDS_AT_ONCE = 1000;

/** `/directoryObjects` */
export function directoryObjects(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();

  app.get('/directoryObjects/:id', (c) => {
    need(c, objectRead);
    const select = entitySelect(c, types);
    const object = graph.store.find(objectId(c.req.param('id')));
    if (object === undefined) throw notFound(c.req.param('id'));
    return answerData(c, {
      '@odata.context': context(graph, 'directoryObjects', select, true),
      ...withType(c, object, select),
    });
  });

  app.post('/directoryObjects/getByIds', async (c) => {
    need(c, objectRead);
    const select = entitySelect(c, types);
    const body = await bodyOf(c, idsSchema);
    if (body.ids.length > IDS_AT_ONCE) throw badRequest(`Too many ids: at most ${IDS_AT_ONCE} are allowed.`);
    const wanted = body.types?.map((type) => type.toLowerCase());
    const found = [...new Set(body.ids.map(objectId))]
      .map((id) => graph.store.find(id))
      .filter((object) => object !== undefined)
      .filter(
        (object) =>
          wanted === undefined || wanted.includes(object.type.toLowerCase()) || wanted.includes('directoryobject'),
      );
    return answerData(c, {
      '@odata.context': context(graph, 'directoryObjects', select),
      value: found.map((object) => withType(c, object, select)),
    });
  });

  return app;
}

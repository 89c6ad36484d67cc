import { Hono } from 'hono';
import { z } from 'zod';
import { groupCreate, groupRead, groupWrite, may, need, syncBehaviorRead } from './access';
import { groupOf } from './group-lookup';
import { refuseUnwritable } from './group-references';
import { createGroup, readGroupWrite, updateGroup } from './group-writes';
import { badRequest, notFound, unsupportedQuery } from './problems';
import type { GraphCall, GraphEnv } from './problems';
import { project } from './properties';
import type { Group } from './properties';
import {
  answerCollection,
  answerCount,
  answerData,
  bodyOf,
  collectionQuery,
  context,
  entitySelect,
  eventual,
  refuseOptions,
  visible,
} from './query';
import type { Graph } from './query';

/** The alternate key in a path segment such as `groups(uniqueName='print-room')`. */
function uniqueNameIn(segment: string): string | undefined {
  const [, quoted] = /^groups\(uniqueName='((?:[^']|'')*)'\)$/.exec(segment) ?? [];
  return quoted?.replaceAll("''", "'");
}

const bodySchema = z.record(z.string(), z.unknown());

/** Whether `Prefer` asks that a group be created where there is none. */
const createsMissing = (c: GraphCall): boolean =>
  (c.req.header('prefer') ?? '').split(/[,;]/).some((preference) => preference.trim() === 'create-if-missing');

/**
 * `GET|POST /groups`, `GET /groups/$count`, `GET|PATCH|DELETE /groups/{id}`, `GET|PATCH /groups(uniqueName='…')` (with
 * `Prefer: create-if-missing` an upsert), `GET /groups/{id}/onPremisesSyncBehavior`. What hangs on a group is in
 * `group-links.ts`, `memberships.ts`, `lifecycle.ts`; deltas are in `group-delta.ts`, which must be mounted before this.
 */
export function groups(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();
  const { store } = graph;

  const answerGroup = (c: GraphCall, group: Group): Response => {
    const select = entitySelect(c, ['group']);
    return answerData(c, {
      '@odata.context': context(graph, 'groups', select, true),
      ...visible(c, group, select),
    });
  };
  const answerCreated = (c: GraphCall, group: Group): Response => {
    const { isAssignableToRole, uniqueName } = group.properties;
    const response = answerData(
      c,
      {
        '@odata.context': context(graph, 'groups', undefined, true),
        ...project(group, undefined),
        isAssignableToRole,
        uniqueName,
      },
      201,
    );
    response.headers.set('location', `${graph.base()}/v1.0/groups/${group.properties.id}`);
    return response;
  };

  app.get('/groups', (c) => {
    need(c, groupRead);
    return answerCollection(c, graph, collectionQuery(c, ['group']), 'groups', { types: ['group'] });
  });

  app.post('/groups', async (c) => {
    need(c, groupCreate);
    const write = readGroupWrite(await bodyOf(c, bodySchema));
    return answerCreated(
      c,
      store.transaction(() => createGroup(c, graph, write)),
    );
  });

  app.get('/groups/$count', (c) => {
    need(c, groupRead);
    refuseOptions(c, []);
    if (!eventual(c)) throw unsupportedQuery('$count is not currently supported.');
    return answerCount(c, store.count({ view: 'read', types: ['group'] }));
  });

  app.get('/:segment', (c, next) => {
    const name = uniqueNameIn(c.req.param('segment'));
    if (name === undefined) return next();
    need(c, groupRead);
    const group = store.findByUniqueName(name);
    if (group === undefined) throw notFound(name);
    return Promise.resolve(answerGroup(c, group));
  });

  app.patch('/:segment', async (c, next) => {
    const name = uniqueNameIn(c.req.param('segment'));
    if (name === undefined) return next();
    const upsert = createsMissing(c);
    if (!may(c, groupWrite)) need(c, groupCreate);
    const write = readGroupWrite(await bodyOf(c, bodySchema));
    const said = write.properties.uniqueName;
    if (said !== undefined && said !== name) throw badRequest(`The key of the request and its body differ: '${name}'.`);
    const created = store.transaction(() => {
      const known = store.findByUniqueName(name, 'now');
      if (known !== undefined) {
        updateGroup(c, graph, known, write);
        return undefined;
      }
      if (!upsert) throw notFound(name);
      return createGroup(c, graph, { ...write, properties: { ...write.properties, uniqueName: name } });
    });
    return created === undefined ? c.body(null, 204) : answerCreated(c, created);
  });

  app.get('/groups/:id', (c) => {
    need(c, groupRead);
    entitySelect(c, ['group']);
    return answerGroup(c, groupOf(graph, c.req.param('id')));
  });

  app.patch('/groups/:id', async (c) => {
    const write = readGroupWrite(await bodyOf(c, bodySchema));
    store.transaction(() => updateGroup(c, graph, groupOf(graph, c.req.param('id'), 'now'), write));
    return c.body(null, 204);
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
    refuseUnwritable(c, group);
    store.remove(group.properties.id);
    return c.body(null, 204);
  });

  return app;
}

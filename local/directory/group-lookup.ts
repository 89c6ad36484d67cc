import { notFound } from './problems';
import type { Group } from './properties';
import { objectId } from './query';
import type { Graph } from './query';
import type { View } from './store';

/** The group that a path names: 400 where that is no id, 404 where there is none. */
export function groupOf(graph: Graph, id: string, view: View = 'read'): Group {
  const group = graph.store.findGroup(objectId(id), view);
  if (group === undefined) throw notFound(id);
  return group;
}

import { groupWrite, memberWrite, need, roleAssignment } from './access';
import type { Requirement } from './access';
import { badRequest, denied, notFound } from './problems';
import type { GraphCall } from './problems';
import { isDynamic, isMasteredOnPremises, isUnified } from './properties';
import type { DirectoryObject, Group, ObjectType } from './properties';
import { objectId } from './query';
import type { Graph } from './query';

export type ReferenceKind = 'member' | 'owner';

/** The id at the end of `…/directoryObjects/{id}` (or users, groups, servicePrincipals). */
export function referencedId(url: string): string {
  const [, id] = /\/(?:directoryObjects|users|groups|servicePrincipals)\/([^/?#]+)$/.exec(url) ?? [];
  if (id === undefined) throw badRequest(`Invalid URL format specified in @odata.id '${url}'.`);
  return objectId(decodeURIComponent(id));
}

/** Whether the calling app is an owner of the group: it may then change it without a permission on all groups. */
export const ownsGroup = (c: GraphCall, graph: Graph, group: Group): boolean =>
  graph.store.hasLink('owner', group.properties.id, c.get('claims').oid);

/** Refuses groups that Graph changes for nobody who comes this way. */
export function refuseUnwritable(c: GraphCall, group: Group): void {
  if (group.properties.isAssignableToRole === true) need(c, roleAssignment);
  if (group.properties.isManagementRestricted === true) throw denied();
  if (isMasteredOnPremises(group)) {
    throw badRequest(
      'Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.',
    );
  }
  if (group.properties.mailEnabled && !isUnified(group)) {
    throw badRequest('Cannot Update a mail-enabled security groups and or distribution list.');
  }
}

/** Refuses what Graph refuses to change, in the order in which it looks. */
export function checkWritable(c: GraphCall, graph: Graph, group: Group, kind: ReferenceKind): void {
  const permissions: Requirement = kind === 'member' ? memberWrite : groupWrite;
  // An app that owns a group may change who is in it without any permission on all groups.
  const owns = kind === 'member' && ownsGroup(c, graph, group);
  if (!owns) need(c, permissions);
  if (kind === 'member' && isDynamic(group)) throw denied();
  refuseUnwritable(c, group);
}

const allowed: Record<ReferenceKind, readonly ObjectType[]> = {
  member: ['user', 'group', 'servicePrincipal'],
  owner: ['user', 'servicePrincipal'],
};

/** Refuses a target that can't be an owner, or a member, of this kind of group. */
export function checkTarget(group: Group, target: DirectoryObject, kind: ReferenceKind): void {
  const intoUnified = kind === 'member' && isUnified(group) && target.type !== 'user';
  const unifiedInside = target.type === 'group' && isUnified(target);
  const itself = target.properties.id === group.properties.id;
  if (!allowed[kind].includes(target.type) || intoUnified || unifiedInside || itself) {
    throw badRequest(`The object '${target.properties.id}' cannot be added to the '${kind}s' of this group.`);
  }
}

/** Adds one reference as `POST …/$ref` does. */
export function addReference(graph: Graph, group: Group, targetId: string, kind: ReferenceKind): void {
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

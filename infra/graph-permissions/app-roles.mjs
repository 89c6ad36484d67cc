// Application permissions and app roles are the same thing to Microsoft Graph: an app role of one service principal, assigned to a principal.
import { Failure, GraphRefusal } from './graph-client.mjs';

/** Client id of Microsoft Graph, the same in every tenant. */
export const GRAPH_APP_ID = '00000003-0000-0000-c000-000000000000';

/** The service principal of an app with its roles; undefined where the tenant has none. */
export const findServicePrincipal = (graph, appId) =>
  graph.find(`/servicePrincipals(appId='${appId}')?$select=id,appId,displayName,appRoles`);

/** Id of the enabled role with this value. @throws {Failure} where the service principal has none */
export function roleId(resource, value, principalKind = 'Application') {
  const role = resource.appRoles.find(
    (each) => each.value === value && each.isEnabled && each.allowedMemberTypes.includes(principalKind),
  );
  if (role === undefined) throw new Failure(`${resource.displayName} has no app role ${value} for this.`);
  return role.id;
}

/** A principal's roles on one resource, as `{ id, appRoleId }`. `kind` is `servicePrincipals` or `users`. */
export async function assignedRoles(graph, resource, principalId, kind = 'servicePrincipals') {
  const all = await graph.list(`/${kind}/${principalId}/appRoleAssignments`);
  return all.filter(({ resourceId }) => resourceId === resource.id);
}

const alreadyThere = (error) =>
  error instanceof GraphRefusal && error.status === 400 && /already exists on the object/i.test(error.message);

/** Assigns a role. Resolves to false where somebody else was faster. */
export async function assignRole(graph, resource, principalId, appRoleId) {
  try {
    await graph.post(
      `/servicePrincipals/${resource.id}/appRoleAssignedTo`,
      { principalId, resourceId: resource.id, appRoleId },
      { fresh: true },
    );
    return true;
  } catch (error) {
    if (alreadyThere(error)) return false;
    throw error;
  }
}

/** Takes an assignment back. Resolves to false where it was gone. */
export const unassignRole = (graph, resource, assignmentId) =>
  graph.remove(`/servicePrincipals/${resource.id}/appRoleAssignedTo/${assignmentId}`);

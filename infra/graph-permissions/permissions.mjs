// Which application permissions on Microsoft Graph the app's identity has, and giving or taking them by feature.
import { readFileSync } from 'node:fs';
import { assignRole, assignedRoles, findServicePrincipal, GRAPH_APP_ID, roleId, unassignRole } from './app-roles.mjs';
import { Failure } from './graph-client.mjs';

/** Permissions by feature, and why each needs them. */
export const features = JSON.parse(readFileSync(new URL('./features.json', import.meta.url), 'utf8'));

/** Splits `join,hidden`. @throws {Failure} for a feature that doesn't exist */
export function featureNames(text) {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !Object.hasOwn(features, name));
  if (unknown.length > 0)
    throw new Failure(
      `There is no feature "${unknown.join('", "')}". The features are: ${Object.keys(features).join(', ')}.`,
    );
  return names;
}

const permissionsOf = (names) => [...new Set(names.flatMap((name) => features[name].permissions))];

/**
 * The identity and Microsoft Graph, both as service principals.
 * @throws {Failure} where the id is not that of a managed identity: a permission for the wrong principal would go unnoticed
 */
async function principals(graph, identityId, { anyPrincipal }) {
  const identity = await graph.find(
    `/servicePrincipals/${identityId}?$select=id,appId,displayName,servicePrincipalType`,
  );
  if (identity === undefined)
    throw new Failure(
      `This tenant has no service principal with the object id ${identityId}. Give the identity's principal id (output identityPrincipalId), not its client id.`,
    );
  if (identity.servicePrincipalType !== 'ManagedIdentity' && !anyPrincipal)
    throw new Failure(
      `${identity.displayName} is no managed identity but of type ${identity.servicePrincipalType}. If that is what you want, add --any-principal.`,
    );
  const resource = await findServicePrincipal(graph, GRAPH_APP_ID);
  if (resource === undefined) throw new Failure('This tenant has no service principal of Microsoft Graph.');
  return { identity, resource };
}

/** Gives what the features need and is not there yet. Tells every change through `say`. */
export async function grant(graph, identityId, names, { dryRun = false, anyPrincipal = false, say }) {
  const { identity, resource } = await principals(graph, identityId, { anyPrincipal });
  // all are looked up before the first is given: a permission that this cloud lacks stops everything
  const wanted = permissionsOf(names).map((value) => ({ value, appRoleId: roleId(resource, value) }));
  const present = new Set((await assignedRoles(graph, resource, identity.id)).map(({ appRoleId }) => appRoleId));
  for (const { value, appRoleId } of wanted) {
    if (present.has(appRoleId)) say(`${value}: ${identity.displayName} has it`);
    else if (dryRun) say(`${value}: would be given to ${identity.displayName}`);
    else {
      const given = await assignRole(graph, resource, identity.id, appRoleId);
      say(`${value}: ${given ? `given to ${identity.displayName}` : `${identity.displayName} has it`}`);
    }
  }
}

/** Takes back what the features need, and nothing else that the identity may have. */
export async function takeBack(graph, identityId, names, { dryRun = false, anyPrincipal = false, say }) {
  const { identity, resource } = await principals(graph, identityId, { anyPrincipal });
  const present = await assignedRoles(graph, resource, identity.id);
  for (const value of permissionsOf(names)) {
    const role = resource.appRoles.find((each) => each.value === value);
    const assignment = present.find(({ appRoleId }) => appRoleId === role?.id);
    if (assignment === undefined) say(`${value}: ${identity.displayName} does not have it`);
    else if (dryRun) say(`${value}: would be taken from ${identity.displayName}`);
    else {
      await unassignRole(graph, resource, assignment.id);
      say(`${value}: taken from ${identity.displayName}`);
    }
  }
}

/** Tells what the identity has on Microsoft Graph, by feature; what no feature needs is marked. */
export async function show(graph, identityId, { anyPrincipal = false, say }) {
  const { identity, resource } = await principals(graph, identityId, { anyPrincipal });
  const present = new Set(
    (await assignedRoles(graph, resource, identity.id)).map(
      ({ appRoleId }) => resource.appRoles.find(({ id }) => id === appRoleId)?.value ?? appRoleId,
    ),
  );
  say(`${identity.displayName} (${identity.id}) on Microsoft Graph:`);
  for (const [name, { permissions, why }] of Object.entries(features)) {
    const marks = permissions.map((value) => `${present.has(value) ? 'yes' : 'no '} ${value}`);
    say(`  ${name}: ${why}`);
    for (const mark of marks) say(`    ${mark}`);
  }
  const needed = new Set(permissionsOf(Object.keys(features)));
  for (const value of [...present].filter((each) => !needed.has(each)).sort())
    say(`  no feature needs ${value}: find out who gave it, and take it back`);
}

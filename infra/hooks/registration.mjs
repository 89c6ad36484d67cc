// Gatehouse's app registration: what people sign in to, and what other systems ask tokens for.
import {
  assignRole,
  assignedRoles,
  findServicePrincipal,
  GRAPH_APP_ID,
  roleId,
} from '../graph-permissions/app-roles.mjs';
import { Failure } from '../graph-permissions/graph-client.mjs';

/** Client id of the Azure CLI, the same in every tenant: whoever may call the API can do so with `az account get-access-token`. */
const AZURE_CLI = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';
/** Client id of Event Grid, the same in every tenant of the public cloud. */
export const EVENT_GRID = '4962773b-9cdb-44cf-a8bf-237846a00ab7';
export const EVENT_GRID_ROLE = 'AzureEventGridSecureWebhookSubscriber';
/** What App Service Authentication asks of people at sign-in. */
const SIGN_IN_SCOPES = ['email', 'openid', 'profile'];

// Ids must stay the same for ever: assignments name them. They need to be unique within one registration only.
const SCOPE = {
  id: 'b7d1f0a4-6c1e-4f0b-9a55-0d8f3c2e7a10',
  value: 'access_as_user',
  type: 'User',
  isEnabled: true,
  adminConsentDisplayName: 'Use Gatehouse as the signed-in person',
  adminConsentDescription: 'File and read join requests, and decide, as the person who is signed in.',
  userConsentDisplayName: 'Use Gatehouse as you',
  userConsentDescription: 'File and read your join requests, and decide, as you.',
};

const role = (id, value, description, allowedMemberTypes = ['Application', 'User']) => ({
  id,
  value,
  displayName: value,
  description,
  allowedMemberTypes,
  isEnabled: true,
});

const ROLES = [
  role(
    'b7d1f0a4-6c1e-4f0b-9a55-0d8f3c2e7a11',
    'Requests.Submit',
    'File, read and withdraw join requests for other people; never decide.',
    ['Application'],
  ),
  role(
    'b7d1f0a4-6c1e-4f0b-9a55-0d8f3c2e7a12',
    'Operations.Manage',
    'Watch the workflows, send mails again, re-route, cancel, retry.',
  ),
  role(
    'b7d1f0a4-6c1e-4f0b-9a55-0d8f3c2e7a13',
    'Policy.Manage',
    'Say which groups are self-service, under which rules.',
  ),
  role('b7d1f0a4-6c1e-4f0b-9a55-0d8f3c2e7a14', 'Audit.Read', 'Read the audit trail.'),
  role(
    'b7d1f0a4-6c1e-4f0b-9a55-0d8f3c2e7a15',
    EVENT_GRID_ROLE,
    'Bring mail delivery reports; for Event Grid, and for whoever makes its subscription.',
  ),
];

/** The name under which a repeat finds the registration again (an alternate key of applications in Graph v1.0). */
const uniqueName = (environmentName) => `gatehouse-${environmentName}`;

const SELECT = 'id,appId,displayName,uniqueName,identifierUris,signInAudience,appRoles,api,web,optionalClaims';
const byUniqueName = (environmentName) => `/applications(uniqueName='${uniqueName(environmentName)}')`;

/** The registration of an environment; undefined where there is none. */
export const findRegistration = (graph, environmentName) =>
  graph.find(`${byUniqueName(environmentName)}?$select=${SELECT}`);

/** Same content, whatever the order of properties and of collections, which Graph doesn't keep. */
const same = (a, b) => JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));

function ordered(value) {
  if (Array.isArray(value)) return value.map(ordered).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, ordered(value[name])]),
  );
}

/** Ours by value, with the id that is there already; everything that others added stays. */
const merged = (present, ours) => [
  ...present.filter(({ value }) => !ours.some((each) => each.value === value)),
  ...ours.map((each) => {
    const there = present.find(({ value }) => value === each.value);
    return there === undefined ? each : { ...there, ...each, id: there.id };
  }),
];

/**
 * What has to change for the registration to be what Gatehouse needs: steps of properties to send, one after the other, since a known
 * client may only name a scope that is there; and a line for each.
 */
function differences({ appId, signInAudience, identifierUris = [], appRoles: given = [], api, web, optionalClaims }) {
  const steps = [{}, {}];
  const lines = [];
  const want = (name, present, wanted, line, step = 0) => {
    if (same(present, wanted)) return;
    steps[step][name] = wanted;
    lines.push(line);
  };
  // `origin` is Graph's own and must not be sent
  const appRoles = given.map(({ origin: _origin, ...each }) => each);

  want('signInAudience', signInAudience, 'AzureADMyOrg', 'people and apps of this tenant only');
  const uri = `api://${appId}`;
  want('identifierUris', identifierUris, [...new Set([...identifierUris, uri])], `application id URI ${uri}`);
  want('appRoles', appRoles, merged(appRoles, ROLES), `app roles ${ROLES.map(({ value }) => value).join(', ')}`);

  const scopes = merged(api?.oauth2PermissionScopes ?? [], [SCOPE]);
  want(
    'api',
    {
      requestedAccessTokenVersion: api?.requestedAccessTokenVersion,
      oauth2PermissionScopes: api?.oauth2PermissionScopes,
    },
    { requestedAccessTokenVersion: 2, oauth2PermissionScopes: scopes },
    `scope ${SCOPE.value}, tokens of version 2`,
  );
  const clients = api?.preAuthorizedApplications ?? [];
  const scopeId = scopes.find(({ value }) => value === SCOPE.value).id;
  want(
    'api',
    { preAuthorizedApplications: clients },
    {
      preAuthorizedApplications: [
        ...clients.filter(({ appId: id }) => id !== AZURE_CLI),
        { appId: AZURE_CLI, delegatedPermissionIds: [scopeId] },
      ],
    },
    'the Azure CLI as a known client of that scope',
    1,
  );

  const implicit = { enableAccessTokenIssuance: false, enableIdTokenIssuance: true };
  want(
    'web',
    { implicitGrantSettings: web?.implicitGrantSettings },
    { implicitGrantSettings: implicit },
    'ID tokens for App Service Authentication',
  );

  const claims = optionalClaims?.accessToken ?? [];
  if (!claims.some(({ name }) => name === 'idtyp'))
    want(
      'optionalClaims',
      undefined,
      {
        ...optionalClaims,
        accessToken: [...claims, { name: 'idtyp', essential: false, additionalProperties: [] }],
      },
      'claim idtyp, which tells apps from people',
    );
  return { steps: steps.filter((step) => Object.keys(step).length > 0), lines };
}

/** Makes the registration and its service principal, or mends what is missing. Resolves to both; undefined for what a dry run would make. */
export async function ensureRegistration(graph, environmentName, { dryRun, say }) {
  let application = await findRegistration(graph, environmentName);
  if (application === undefined) {
    say(`app registration ${uniqueName(environmentName)}: ${dryRun ? 'would be made' : 'made'}`);
    if (dryRun) return {};
    // an upsert: a repeat after a lost answer finds what the first one made
    await graph.patch(
      byUniqueName(environmentName),
      { displayName: `Gatehouse (${environmentName})`, signInAudience: 'AzureADMyOrg' },
      { headers: { prefer: 'create-if-missing' } },
    );
    application = await graph.get(`${byUniqueName(environmentName)}?$select=${SELECT}`, { fresh: true });
  } else say(`app registration ${application.displayName} (${application.appId}): there`);

  const { steps, lines } = differences(application);
  for (const line of lines) say(`  ${dryRun ? 'would set' : 'set'}: ${line}`);
  if (!dryRun) for (const step of steps) await graph.patch(`/applications/${application.id}`, step, { fresh: true });

  let principal = await findServicePrincipal(graph, application.appId);
  if (principal === undefined) {
    say(`its service principal: ${dryRun ? 'would be made' : 'made'}`);
    if (!dryRun) principal = await graph.post('/servicePrincipals', { appId: application.appId }, { fresh: true });
  }
  return { application, principal };
}

/** Lets people sign in without being asked each for consent, where the tenant doesn't let them consent at all. */
export async function ensureSignInConsent(graph, principal, { dryRun, say }) {
  const resource = await findServicePrincipal(graph, GRAPH_APP_ID);
  if (resource === undefined) throw new Failure('This tenant has no service principal of Microsoft Graph.');
  const grants = await graph.list(`/oauth2PermissionGrants?$filter=clientId eq '${principal.id}'`);
  const present = grants.find(
    ({ consentType, resourceId }) => consentType === 'AllPrincipals' && resourceId === resource.id,
  );
  const scopes = new Set(present?.scope.split(' ').filter(Boolean) ?? []);
  const missing = SIGN_IN_SCOPES.filter((scope) => !scopes.has(scope));
  if (missing.length === 0) {
    say(`consent to ${SIGN_IN_SCOPES.join(', ')} for everyone: there`);
    return;
  }
  say(`consent to ${missing.join(', ')} for everyone: ${dryRun ? 'would be given' : 'given'}`);
  if (dryRun) return;
  const scope = [...scopes, ...missing].join(' ');
  if (present !== undefined) await graph.patch(`/oauth2PermissionGrants/${present.id}`, { scope });
  else
    await graph.post(
      '/oauth2PermissionGrants',
      { clientId: principal.id, consentType: 'AllPrincipals', resourceId: resource.id, scope },
      { fresh: true },
    );
}

/** Deletes the registration; its service principal, role assignments and consents go with it. */
export async function removeRegistration(graph, environmentName, { dryRun, say }) {
  const application = await findRegistration(graph, environmentName);
  if (application === undefined) {
    say(`app registration ${uniqueName(environmentName)}: there is none`);
    return;
  }
  if (!dryRun) await graph.remove(`/applications/${application.id}`);
  say(
    `app registration ${application.displayName} (${application.appId}): ${dryRun ? 'would be deleted' : 'deleted; Microsoft Entra keeps it for 30 days, from where it can be restored'}`,
  );
}

const federatedCredential = (issuer, subject) => ({
  name: 'gatehouse-app-service',
  issuer,
  subject,
  audiences: ['api://AzureADTokenExchange'],
  description: 'App Service Authentication signs in as the app’s managed identity instead of with a secret.',
});

/** Lets the app's managed identity stand for the registration, so that there is no client secret. */
export async function ensureFederatedCredential(graph, application, { issuer, subject }, { dryRun, say }) {
  const wanted = federatedCredential(issuer, subject);
  const path = `/applications/${application.id}/federatedIdentityCredentials`;
  const present = (await graph.list(path)).find(({ name }) => name === wanted.name);
  const { name: _name, ...properties } = wanted;
  if (present?.issuer === issuer && present.subject === subject && same(present.audiences, wanted.audiences)) {
    say(`federated credential ${wanted.name}: there`);
    return;
  }
  const verb = present === undefined ? 'made' : 'changed';
  say(`federated credential ${wanted.name}: ${dryRun ? `would be ${verb}` : verb}, for the identity ${subject}`);
  if (dryRun) return;
  if (present === undefined) await graph.post(path, wanted);
  else await graph.patch(`${path}/${present.id}`, properties);
}

/** Takes the federated credential away: nobody can sign in to the pages any more. */
export async function removeFederatedCredential(graph, application, { dryRun, say }) {
  const path = `/applications/${application.id}/federatedIdentityCredentials`;
  const present = (await graph.list(path)).find(({ name }) => name === 'gatehouse-app-service');
  if (present === undefined) {
    say('federated credential: there is none');
    return;
  }
  if (!dryRun) await graph.remove(`${path}/${present.id}`);
  say(`federated credential ${present.name}: ${dryRun ? 'would be removed' : 'removed'}`);
}

/** Adds redirect URIs to the registration, or takes them away; others stay. */
export async function setRedirectUris(graph, application, uris, { dryRun, say, remove = false }) {
  const present = application.web?.redirectUris ?? [];
  const wanted = remove ? present.filter((uri) => !uris.includes(uri)) : [...new Set([...present, ...uris])];
  if (same(present, wanted)) {
    say(`redirect URIs: ${remove ? 'none of ours' : 'there'}`);
    return;
  }
  for (const uri of uris) say(`redirect URI ${uri}: ${dryRun ? 'would be ' : ''}${remove ? 'removed' : 'set'}`);
  if (!dryRun) await graph.patch(`/applications/${application.id}`, { web: { redirectUris: wanted } });
}

/**
 * Gives Event Grid, and whoever makes its subscription, the role without which the door for delivery reports lets nobody in.
 * Event Grid refuses a subscription that is protected by a registration in which its maker has no role.
 */
export async function ensureEventGridRole(graph, principal, deployer, { dryRun, say }) {
  const appRoleId = roleId(principal, EVENT_GRID_ROLE);
  let eventGrid = await findServicePrincipal(graph, EVENT_GRID);
  if (eventGrid === undefined) {
    say(`service principal of Event Grid: ${dryRun ? 'would be made' : 'made'}`);
    if (!dryRun) eventGrid = await graph.post('/servicePrincipals', { appId: EVENT_GRID }, { fresh: true });
  }
  const holders = [
    { name: 'Event Grid', id: eventGrid?.id, kind: 'servicePrincipals' },
    { name: 'you, who make the subscription', ...deployer },
  ];
  for (const { name, id, kind } of holders) {
    const present = id === undefined ? [] : await assignedRoles(graph, principal, id, kind);
    if (present.some((each) => each.appRoleId === appRoleId)) say(`${EVENT_GRID_ROLE} for ${name}: there`);
    else {
      say(`${EVENT_GRID_ROLE} for ${name}: ${dryRun ? 'would be given' : 'given'}`);
      if (!dryRun) await assignRole(graph, principal, id, appRoleId);
    }
  }
}

/** Takes that role from Event Grid and from whoever deployed: delivery reports are refused from then on. */
export async function removeEventGridRole(graph, principal, { dryRun, say }) {
  const appRoleId = roleId(principal, EVENT_GRID_ROLE);
  const holders = (await graph.list(`/servicePrincipals/${principal.id}/appRoleAssignedTo`)).filter(
    (each) => each.appRoleId === appRoleId,
  );
  for (const { id, principalDisplayName } of holders) {
    if (!dryRun) await graph.remove(`/servicePrincipals/${principal.id}/appRoleAssignedTo/${id}`);
    say(`${EVENT_GRID_ROLE} for ${principalDisplayName}: ${dryRun ? 'would be taken' : 'taken'}`);
  }
  if (holders.length === 0) say(`${EVENT_GRID_ROLE}: nobody has it`);
}

/** Gives the person who deploys the roles to write the first policy and to see operations. */
export async function ensureFirstAdministrator(graph, principal, deployer, { dryRun, say }) {
  for (const value of ['Policy.Manage', 'Operations.Manage']) {
    const kindOfMember = deployer.kind === 'users' ? 'User' : 'Application';
    const appRoleId = roleId(principal, value, kindOfMember);
    const present = await assignedRoles(graph, principal, deployer.id, deployer.kind);
    if (present.some((each) => each.appRoleId === appRoleId)) say(`${value} for you: there`);
    else {
      say(`${value} for you: ${dryRun ? 'would be given' : 'given'}`);
      if (!dryRun) await assignRole(graph, principal, deployer.id, appRoleId);
    }
  }
}

/** Who runs the script: a person (`/me`), or the service principal that `GATEHOUSE_DEPLOYER_OBJECT_ID` names. */
export async function findDeployer(graph, environment) {
  const given = environment.GATEHOUSE_DEPLOYER_OBJECT_ID;
  if (given !== undefined) return { id: given, kind: 'servicePrincipals' };
  try {
    return { id: (await graph.get('/me?$select=id')).id, kind: 'users' };
  } catch (error) {
    if (error.status === 400)
      throw new Failure(
        'You are signed in as a service principal: set GATEHOUSE_DEPLOYER_OBJECT_ID to its object id (azd env set …).',
      );
    throw error;
  }
}

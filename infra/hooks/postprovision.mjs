// After the infrastructure: what joins the registration to it, and what the app may do in Microsoft Graph. Repeatable.
import { Failure } from '../graph-permissions/graph-client.mjs';
import { featureNames, features, grant, takeBack } from '../graph-permissions/permissions.mjs';
import { hook, required } from './hook.mjs';
import {
  ensureEventGridRole,
  ensureFederatedCredential,
  ensureFirstAdministrator,
  findDeployer,
  findRegistration,
  removeEventGridRole,
  removeFederatedCredential,
  setRedirectUris,
} from './registration.mjs';
import { findServicePrincipal } from '../graph-permissions/app-roles.mjs';

const CALLBACK = '/.auth/login/aad/callback';

const outputs = {
  AZURE_ENV_NAME: 'name of the environment',
  identityPrincipalId: 'output of the template: run azd provision',
  federatedCredentialIssuer: 'output of the template: run azd provision',
  signInRedirectUri: 'output of the template: run azd provision',
};

async function registrationOf(graph, environmentName) {
  const application = await findRegistration(graph, environmentName);
  const principal = application && (await findServicePrincipal(graph, application.appId));
  if (principal === undefined) throw new Failure('There is no app registration: run node infra/hooks/preprovision.mjs');
  return { application, principal };
}

const redirectUris = ({ signInRedirectUri, GATEHOUSE_PUBLIC_BASE_URL: own }) => [
  signInRedirectUri,
  ...(own === undefined ? [] : [`${own.replace(/\/+$/, '')}${CALLBACK}`]),
];

await hook('postprovision', {
  apply: async ({ environment, connect, dryRun, say }) => {
    const given = required(environment, outputs);
    const names = featureNames(environment.GATEHOUSE_GRAPH_FEATURES ?? 'join');
    const graph = await connect();
    const { application, principal } = await registrationOf(graph, given.AZURE_ENV_NAME);
    const mode = { dryRun, say };
    await setRedirectUris(graph, application, redirectUris(environment), mode);
    const trust = { issuer: given.federatedCredentialIssuer, subject: given.identityPrincipalId };
    await ensureFederatedCredential(graph, application, trust, mode);
    await grant(graph, given.identityPrincipalId, names, mode);
    const deployer = await findDeployer(graph, environment);
    await ensureEventGridRole(graph, principal, deployer, mode);
    await ensureFirstAdministrator(graph, principal, deployer, mode);
  },
  undo: async ({ environment, connect, dryRun, say }) => {
    const given = required(environment, outputs);
    const graph = await connect();
    const { application, principal } = await registrationOf(graph, given.AZURE_ENV_NAME);
    const mode = { dryRun, say };
    await removeEventGridRole(graph, principal, mode);
    await takeBack(graph, given.identityPrincipalId, Object.keys(features), mode);
    await removeFederatedCredential(graph, application, mode);
    await setRedirectUris(graph, application, redirectUris(environment), { ...mode, remove: true });
    say(
      'Policy.Manage and Operations.Manage stay with whoever has them: see Users and groups of the enterprise application.',
    );
  },
});

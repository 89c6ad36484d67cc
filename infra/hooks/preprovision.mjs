// Before the infrastructure: the app registration that people sign in to and other systems ask tokens for. Repeatable.
import { remember, forget } from './environment.mjs';
import { hook, required } from './hook.mjs';
import { ensureRegistration, ensureSignInConsent, removeRegistration } from './registration.mjs';

await hook('preprovision', {
  apply: async ({ environment, connect, dryRun, say }) => {
    const { AZURE_ENV_NAME } = required(environment, {
      AZURE_ENV_NAME: 'name of the environment, such as dev',
      GATEHOUSE_OPERATIONS_EMAILS: 'who gets the alerts, comma-separated',
      GATEHOUSE_RUNBOOK_URL: 'where your people find docs/operations.md',
    });
    const graph = await connect();
    const { application, principal } = await ensureRegistration(graph, AZURE_ENV_NAME, { dryRun, say });
    if (principal !== undefined) await ensureSignInConsent(graph, principal, { dryRun, say });
    if (application !== undefined && !dryRun) remember('GATEHOUSE_API_CLIENT_ID', application.appId, say);
  },
  undo: async ({ environment, connect, dryRun, say }) => {
    const { AZURE_ENV_NAME } = required(environment, { AZURE_ENV_NAME: 'name of the environment' });
    await removeRegistration(await connect(), AZURE_ENV_NAME, { dryRun, say });
    if (!dryRun) forget('GATEHOUSE_API_CLIENT_ID', say);
  },
});

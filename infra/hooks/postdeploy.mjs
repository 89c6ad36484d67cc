// After the app: waits until it answers, writes the first policy, and makes the next provisioning turn on mail delivery reports.
import { readFileSync } from 'node:fs';
import { cliToken, Failure } from '../graph-permissions/graph-client.mjs';
import { remember } from './environment.mjs';
import { hook, required } from './hook.mjs';

/** A deployment is answered before the new code runs; after this it is no longer slow but broken. */
const PATIENCE_MS = 5 * 60_000;
const PAUSE_MS = 5_000;
const TIMEOUT_MS = 20_000;

const baseUrl = ({ GATEHOUSE_APP_URL: given, functionAppHostName: host }) => given ?? `https://${host}`;

const patience = (environment) => Number(environment.GATEHOUSE_PATIENCE_MS ?? PATIENCE_MS);

/** Waits until the app answers. @throws {Failure} where it doesn't */
async function awaitHealth(environment, base) {
  const until = Date.now() + patience(environment);
  for (;;) {
    const answer = await fetch(`${base}/api/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
      ({ status }) => `status ${status}`,
      (error) => error.cause?.message ?? error.message,
    );
    if (answer === 'status 200') return;
    if (Date.now() > until)
      throw new Failure(
        `${base}/api/health does not answer as it should (${answer}). A wrong setting stops the app at start and is named in its log: ` +
          'azd monitor --logs, or the table FunctionAppLogs.',
      );
    await new Promise((done) => setTimeout(done, Math.min(PAUSE_MS, patience(environment) / 10)));
  }
}

async function tokenFor(environment) {
  if (environment.GATEHOUSE_API_TOKEN !== undefined) return environment.GATEHOUSE_API_TOKEN;
  const scope = `api://${environment.GATEHOUSE_API_CLIENT_ID}/.default`;
  return cliToken(environment, scope, (login, reason) => {
    return `No token for Gatehouse: run "${login} --scope ${scope}" once, then this hook again.\n${reason}`;
  });
}

function readPolicy(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Failure(`GATEHOUSE_FIRST_POLICY names ${file}, which is no readable JSON: ${error.message}`);
  }
}

/** Writes the default policy where none was ever written; what administrators wrote is never touched. */
async function writeFirstPolicy(environment, base, { dryRun, say }) {
  const file = environment.GATEHOUSE_FIRST_POLICY;
  if (file === undefined) {
    say('first policy: none given (GATEHOUSE_FIRST_POLICY names a JSON file; docs/policies.md)');
    return;
  }
  const policy = readPolicy(file);
  if (dryRun) {
    say(`first policy: would be written from ${file}, unless there is one`);
    return;
  }
  const response = await fetch(`${base}/api/policies/default`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${await tokenFor(environment)}`,
      'content-type': 'application/json',
      'if-none-match': '*',
    },
    body: JSON.stringify(policy),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status === 412) say('first policy: there is one already; it was not touched');
  else if (response.ok) say(`first policy: written from ${file}`);
  else {
    const problem = await response.json().catch(() => ({}));
    const errors = (problem.errors ?? []).map(({ pointer, detail }) => `\n  ${pointer}: ${detail}`).join('');
    const advice = [401, 403].includes(response.status)
      ? '\nThe role Policy.Manage was given by postprovision; a token from before does not have it yet: run "az login" again.'
      : '';
    throw new Failure(
      `The app refused the policy: ${response.status} ${problem.title ?? ''}: ${problem.detail ?? ''}${errors}${advice}`,
    );
  }
}

await hook('postdeploy', {
  apply: async ({ environment, dryRun, say }) => {
    const outputs = { functionAppHostName: 'output of the template: run azd provision' };
    if (environment.GATEHOUSE_APP_URL === undefined) required(environment, outputs);
    const base = baseUrl(environment);
    if (!dryRun) {
      await awaitHealth(environment, base);
      say(`${base} answers`);
    }
    await writeFirstPolicy(environment, base, { dryRun, say });
    if (environment.GATEHOUSE_MAIL_DELIVERY_REPORTS === 'true') say('mail delivery reports: on');
    else if (dryRun) say('mail delivery reports: the next azd provision would turn them on');
    else if (remember('GATEHOUSE_MAIL_DELIVERY_REPORTS', 'true', say))
      say('mail delivery reports: run "azd provision" once more; it makes the subscription, now that the door answers');
  },
  undo: ({ dryRun, say }) => {
    if (!dryRun) remember('GATEHOUSE_MAIL_DELIVERY_REPORTS', 'false', say);
    say(
      'The next azd provision leaves the subscription as it is: delete it, and its topic, in the portal (evgt-gatehouse-…).',
    );
    say(
      'A policy that was written stays: replace it by PUT /api/policies/default. {"optedIn":false} closes every group without its own.',
    );
  },
});

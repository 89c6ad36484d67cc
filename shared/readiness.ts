import type { Config } from './config';
import { compare, rolesIn } from './directory/graph-permissions';
import type { Services } from './services';
import { event } from './telemetry';

export interface Dependency {
  ok: boolean;
  ms: number;
}

export interface Readiness {
  status: 'ready' | 'not-ready';
  dependencies: { tables: Dependency; directory: Dependency; mail: Dependency; signInKeys: Dependency };
  /** Whether the identity can do on Microsoft Graph what it needs, and no more. */
  graphPermissions: 'as-needed' | 'more-than-needed' | 'missing' | 'unknown';
  missing: string[];
  excessive: string[];
}

const LIMIT_MS = 5_000;

/** How long the call took, and whether it came back well within five seconds. */
async function timed(call: () => Promise<unknown>): Promise<Dependency> {
  const started = performance.now();
  const late = new Promise<boolean>((resolve) => {
    setTimeout(() => {
      resolve(false);
    }, LIMIT_MS).unref();
  });
  const ok = await Promise.race([
    call().then(
      () => true,
      () => false,
    ),
    late,
  ]);
  return { ok, ms: Math.round(performance.now() - started) };
}

/**
 * Asks each service for the least that shows that it answers: a row that is not there, tokens for Graph and mail, the signing keys. No
 * start waits for this.
 */
export async function checkReadiness({ config, records, credential }: Services): Promise<Readiness> {
  let graphToken: string | undefined;
  const [tables, directory, mail, signInKeys] = await Promise.all([
    timed(() => records.claims.read('none', 'none')),
    timed(async () => {
      graphToken = (await credential.getToken(config.GRAPH_SCOPE))?.token;
      if (graphToken === undefined) throw new Error('no token');
    }),
    timed(() => credential.getToken('https://communication.azure.com//.default')),
    timed(async () => {
      const keys = await fetch(`${config.AUTHORITY_HOST}/${config.TENANT_ID}/discovery/v2.0/keys`, {
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      if (!keys.ok) throw new Error(String(keys.status));
      await keys.arrayBuffer();
    }),
  ]);
  const permissions = permissionsIn(graphToken, config);
  tellPermissions(permissions);
  const dependencies = { tables, directory, mail, signInKeys };
  const isReady = Object.values(dependencies).every(({ ok }) => ok);
  return {
    status: isReady ? 'ready' : 'not-ready',
    dependencies,
    ...permissions,
  };
}

/** Logs `graph-permissions` where the identity lacks what joining needs, or can do more than anything here uses. */
export function tellPermissions({ missing, excessive }: Pick<Readiness, 'missing' | 'excessive'>): void {
  if (missing.length + excessive.length > 0)
    event('graph-permissions', { missing: missing.join(' '), excessive: excessive.join(' ') });
}

/** What the identity can do on Microsoft Graph, told by its token; a token that can't be read, or was not given, tells nothing. */
export function permissionsIn(
  token: string | undefined,
  config: Pick<Config, 'GRAPH_PERMISSIONS'>,
): Pick<Readiness, 'graphPermissions' | 'missing' | 'excessive'> {
  const granted = token === undefined ? undefined : rolesIn(token);
  if (granted === undefined) return { graphPermissions: 'unknown', missing: [], excessive: [] };
  const { missing, excessive } = compare(granted, config.GRAPH_PERMISSIONS === 'strict');
  const found = excessive.length > 0 ? 'more-than-needed' : 'as-needed';
  return { graphPermissions: missing.length > 0 ? 'missing' : found, missing, excessive };
}

import { Hono } from 'hono';
import { createFaults } from '../faults';
import { authenticate } from './access';
import type { TokenClaims } from './access';
import { admin } from './admin';
import { batch } from './batch';
import { deletedItems } from './deleted-items';
import { directoryObjects } from './directory-objects';
import { groupDelta } from './group-delta';
import { groupLinks } from './group-links';
import { groupSettings } from './group-settings';
import { groups } from './groups';
import { deleteExpired, lifecycle } from './lifecycle';
import { memberships } from './memberships';
import { nameValidation } from './name-validation';
import { organization } from './organization';
import { missing, pages } from './pages';
import { answerProblem, GraphProblem, notImplemented, requestIds } from './problems';
import type { GraphEnv } from './problems';
import type { Graph } from './query';
import { seedDemoTenant } from './seed';
import { openStore } from './store';
import type { Store } from './store';
import { users } from './users';

export type { TokenClaims } from './access';
export type { AdminError, DirectoryChange } from './admin';
export type { GraphEnv } from './problems';

export interface DirectoryOptions {
  /** Path of `directory.db`, or `:memory:`. */
  state: string;
  /** Checks a token's signature and form, and gives its claims; throws on a bad one. Audience and expiry are checked here. */
  verifyToken: (token: string) => Promise<TokenClaims>;
  /** The https origin that stands in next links and contexts. */
  publicBase: () => string;
  /** Objects on a page where a call does not say; 100 unless given, and changed later by `PUT /admin/settings`. */
  pageSize?: number;
  /** `demo` (the default) fills an empty store with the demo tenant. */
  seed?: 'demo' | 'none';
}

export interface Directory {
  /** Microsoft Graph, under `/v1.0`; for the https listener. */
  graph: Hono<GraphEnv>;
  /** The pages and the admin API; for the http listener. */
  site: Hono;
  store: Store;
  close(): void;
}

function graphService(
  graph: Graph,
  options: DirectoryOptions,
  faults: ReturnType<typeof createFaults>,
): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();
  app.onError((error, c) => {
    if (error instanceof GraphProblem) return answerProblem(c, error);
    console.error(error);
    return answerProblem(c, new GraphProblem(500, 'Service_InternalServerError', 'The local directory failed.'));
  });
  app.use('*', requestIds, faults.middleware, authenticate(options.verifyToken));
  app.use('*', async (_c, next) => {
    deleteExpired(graph.store);
    await next();
  });
  const resources = [
    groupDelta,
    groups,
    groupLinks,
    memberships,
    lifecycle,
    groupSettings,
    nameValidation,
    deletedItems,
    users,
    directoryObjects,
    organization,
  ];
  for (const resource of resources) app.route('/v1.0', resource(graph));
  app.route(
    '/v1.0',
    batch((request, env) => app.fetch(request, env)),
  );
  app.notFound((c) => answerProblem(c, notImplemented(`${c.req.method} ${c.req.path}`)));
  return app;
}

function siteOf(store: Store, faults: ReturnType<typeof createFaults>): Hono {
  const site = new Hono();
  // A page of another site must not steer the directory of whoever has it open.
  site.use('/admin/*', async (c, next) => {
    const origin = c.req.header('origin');
    if (origin !== undefined && origin !== new URL(c.req.url).origin) return c.json({ error: 'Foreign origin.' }, 403);
    return next();
  });
  site.route('/', faults.admin);
  site.route('/', admin(store));
  site.route('/', pages(store));
  site.notFound(missing);
  return site;
}

/**
 * The local Microsoft Graph and the pages that show what it holds; listens to nothing itself.
 *
 * Each resource's module says in its doc comment which calls of Graph v1.0 it has: `groups`, `group-links`,
 * `group-delta`, `memberships`, `lifecycle`, `group-settings`, `name-validation`, `deleted-items`, `users`,
 * `directory-objects`, `organization`, `batch`. Every other call answers 501 `NotImplemented`, so that a new one of the
 * app's can't go unnoticed. What tests and demos change past Graph's rules is in `admin`.
 */
export function createDirectory(options: DirectoryOptions): Directory {
  const store = openStore(options.state, options.pageSize);
  if (options.seed !== 'none') seedDemoTenant(store);
  const faults = createFaults();
  return {
    graph: graphService({ store, base: options.publicBase }, options, faults),
    site: siteOf(store, faults),
    store,
    close: () => {
      store.close();
    },
  };
}

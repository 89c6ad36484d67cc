import { Hono } from 'hono';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { Keys } from './keys';
import { readSetting, writeSetting } from './state';
import { MintError, mintSchema } from './tokens';
import type { Tokens } from './tokens';

const permissionsSchema = z.array(z.string().regex(/^[\w.-]+$/, 'is no name of a permission'));

/** The application permissions on Graph that the managed identity was granted. */
export interface GraphPermissions {
  get: () => string[];
  set: (permissions: string[]) => void;
}

/** What was set by an admin call is kept; until then `initial` counts. */
export function openGraphPermissions(db: DatabaseSync, initial: readonly string[]): GraphPermissions {
  const NAME = 'graph-permissions';
  return {
    get: () => {
      const kept = readSetting(db, NAME);
      return kept === undefined ? [...initial] : permissionsSchema.parse(JSON.parse(kept));
    },
    set: (permissions) => {
      writeSetting(db, NAME, JSON.stringify(permissions));
    },
  };
}

async function readJson(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    return undefined;
  }
}

/** The issuer's admin calls; for the http listener. */
export function createAdmin(parts: { tokens: Tokens; keys: Keys; permissions: GraphPermissions }): Hono {
  const { tokens, keys, permissions } = parts;
  const admin = new Hono();

  admin.post('/admin/token', async (c) => {
    const parsed = mintSchema.safeParse(await readJson(c.req.raw));
    if (!parsed.success) return c.json({ error: z.prettifyError(parsed.error) }, 400);
    try {
      return c.json({ access_token: await tokens.mint(parsed.data) });
    } catch (error) {
      if (error instanceof MintError) return c.json({ error: error.message }, 409);
      throw error;
    }
  });

  admin.get('/admin/keys', (c) => c.json(keys.all().map(({ kid, status }) => ({ kid, status }))));
  admin.post('/admin/keys/rotate', (c) => c.json({ kid: keys.rotate().kid }));
  admin.delete('/admin/keys/:kid', (c) => {
    switch (keys.remove(c.req.param('kid'))) {
      case 'removed':
        return c.body(null, 204);
      case 'is-active':
        return c.json({ error: 'This key signs: rotate first.' }, 409);
      case 'unknown':
        return c.json({ error: 'There is no such key.' }, 404);
    }
  });

  admin.get('/admin/graph-permissions', (c) => c.json(permissions.get()));
  admin.put('/admin/graph-permissions', async (c) => {
    const parsed = permissionsSchema.safeParse(await readJson(c.req.raw));
    if (!parsed.success) return c.json({ error: z.prettifyError(parsed.error) }, 400);
    permissions.set(parsed.data);
    return c.json(permissions.get());
  });
  return admin;
}

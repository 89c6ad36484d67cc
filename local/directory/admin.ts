import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { bulkGroupsSchema, createManyGroups } from './bulk-groups';
import { groupSettingsSchema, setGroupSettings } from './group-settings';
import { lifecyclePolicySchema, setExpiration, setLifecyclePolicy } from './lifecycle';
import { groupDefaults, groupSchema, userDefaults, userSchema } from './properties';
import type { Group, ObjectType, User } from './properties';
import type { LinkKind, Store } from './store';

const id = z.guid().transform((text) => text.toLowerCase());
const link = { group: id, target: id };

const changeSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('patchUser'),
    id,
    patch: userSchema.omit({ id: true }).partial().extend({ manager: id.nullable().optional() }),
  }),
  z.strictObject({ type: z.literal('patchGroup'), id, patch: groupSchema.omit({ id: true }).partial() }),
  z.strictObject({ type: z.literal('addMember'), ...link }),
  z.strictObject({ type: z.literal('removeMember'), ...link }),
  z.strictObject({ type: z.literal('addOwner'), ...link }),
  z.strictObject({ type: z.literal('removeOwner'), ...link }),
  z.strictObject({ type: z.literal('deleteGroup'), id }),
  z.strictObject({ type: z.literal('restoreGroup'), id }),
  z.strictObject({ type: z.literal('deleteUser'), id }),
  z.strictObject({
    type: z.literal('createUser'),
    user: userSchema
      .partial()
      .required({ displayName: true, userPrincipalName: true })
      .extend({ id: id.optional(), manager: id.optional() }),
  }),
  z.strictObject({
    type: z.literal('createGroup'),
    group: groupSchema
      .partial()
      .required({ displayName: true, mailNickname: true })
      .extend({ id: id.optional(), owners: z.array(id).default([]), members: z.array(id).default([]) }),
  }),
  /** Many groups at once, for figures; see `bulk-groups.ts`. Their ids are not answered. */
  z.strictObject({ type: z.literal('createManyGroups'), ...bulkGroupsSchema.shape }),
  /** The tenant's `Group.Unified` settings by name; `null` takes them away. */
  z.strictObject({ type: z.literal('setGroupSettings'), values: groupSettingsSchema.nullable() }),
  /** The tenant's expiration policy; `null` takes it away. */
  z.strictObject({ type: z.literal('setLifecyclePolicy'), policy: lifecyclePolicySchema.nullable() }),
]);
type ParsedChange = z.output<typeof changeSchema>;

/** A change that a test or a demo makes to the directory, past Graph's rules: `POST /admin/changes` takes a list. */
export type DirectoryChange = z.input<typeof changeSchema>;

const changesSchema = z.array(changeSchema).min(1).max(10_000);

const settingsSchema = z.strictObject({
  replicationDelayMs: z.int().min(0).max(3_600_000).optional(),
  pageSize: z.int().min(1).max(999).optional(),
  appsExemptFromNaming: z.boolean().optional(),
});

/** What is wrong with a request to the admin API. */
export interface AdminError {
  path: string;
  message: string;
}

/** A change that can't be made. */
class Impossible extends Error {}

class Rejected extends Error {
  constructor(readonly errors: AdminError[]) {
    super('rejected');
  }
}

function userOf(store: Store, userId: string): User {
  const user = store.find(userId, 'now');
  if (user?.type !== 'user') throw new Impossible(`There is no user ${userId}.`);
  return user;
}

function groupOf(store: Store, groupId: string): Group {
  const group = store.findGroup(groupId, 'now');
  if (group === undefined) throw new Impossible(`There is no group ${groupId}.`);
  return group;
}

function addLink(store: Store, kind: LinkKind, source: string, target: string): void {
  if (store.find(target, 'now') === undefined) throw new Impossible(`There is no object ${target}.`);
  if (store.hasLink(kind, source, target)) throw new Impossible(`${target} is ${kind} of ${source} already.`);
  store.addLink(kind, source, target);
}

function removeLink(store: Store, kind: LinkKind, source: string, target: string): void {
  if (!store.hasLink(kind, source, target)) throw new Impossible(`${target} is not ${kind} of ${source}.`);
  store.removeLink(kind, source, target);
}

function setManager(store: Store, userId: string, manager: string | null): void {
  for (const former of store.ids(store.targets('manager', userId, 'now'))) store.removeLink('manager', userId, former);
  if (manager !== null) addLink(store, 'manager', userId, userOf(store, manager).properties.id);
}

function createUser(store: Store, change: Extract<ParsedChange, { type: 'createUser' }>): string {
  const { manager, ...user } = change.user;
  const userId = user.id ?? randomUUID();
  const properties = { ...userDefaults, createdDateTime: new Date().toISOString(), ...user, id: userId };
  store.insert({ type: 'user', properties });
  if (manager !== undefined) setManager(store, userId, manager);
  return userId;
}

function createGroup(store: Store, change: Extract<ParsedChange, { type: 'createGroup' }>): string {
  const { owners, members, ...group } = change.group;
  const groupId = group.id ?? randomUUID();
  const at = new Date().toISOString();
  const properties = { ...groupDefaults, createdDateTime: at, renewedDateTime: at, ...group, id: groupId };
  store.insert({ type: 'group', properties });
  for (const owner of owners) addLink(store, 'owner', groupId, owner);
  for (const member of members) addLink(store, 'member', groupId, member);
  setExpiration(store, groupOf(store, groupId));
  return groupId;
}

/** Makes one change; gives the id of what it created. */
function apply(store: Store, change: ParsedChange): string | undefined {
  switch (change.type) {
    case 'patchUser': {
      const { manager, ...patch } = change.patch;
      const user = userOf(store, change.id);
      store.replace({ type: 'user', properties: { ...user.properties, ...patch } });
      if (manager !== undefined) setManager(store, change.id, manager);
      return undefined;
    }
    case 'patchGroup': {
      const group = groupOf(store, change.id);
      store.replace({ type: 'group', properties: { ...group.properties, ...change.patch } });
      return undefined;
    }
    case 'addMember':
    case 'addOwner':
      groupOf(store, change.group);
      addLink(store, change.type === 'addMember' ? 'member' : 'owner', change.group, change.target);
      return undefined;
    case 'removeMember':
    case 'removeOwner':
      groupOf(store, change.group);
      removeLink(store, change.type === 'removeMember' ? 'member' : 'owner', change.group, change.target);
      return undefined;
    case 'deleteGroup':
      store.remove(groupOf(store, change.id).properties.id);
      return undefined;
    case 'restoreGroup':
      if (store.find(change.id, 'deleted')?.type !== 'group') throw new Impossible(`No group ${change.id} is deleted.`);
      store.restore(change.id);
      return undefined;
    case 'deleteUser':
      store.remove(userOf(store, change.id).properties.id);
      return undefined;
    case 'createUser':
      return createUser(store, change);
    case 'createGroup':
      return createGroup(store, change);
    case 'createManyGroups':
      for (const userId of [...change.owners, ...change.members]) {
        if (store.find(userId, 'now') === undefined) throw new Impossible(`There is no object ${userId}.`);
      }
      createManyGroups(store, change);
      return undefined;
    case 'setGroupSettings':
      setGroupSettings(store, change.values);
      return undefined;
    case 'setLifecyclePolicy':
      setLifecyclePolicy(store, change.policy);
      return undefined;
  }
}

// SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE
const duplicateSchema = z.object({ errcode: z.literal([1555, 2067]) });

function reasonOf(error: unknown): string {
  if (error instanceof Impossible) return error.message;
  if (duplicateSchema.safeParse(error).success) return 'An object with this name or id exists.';
  throw error;
}

/** All changes or, when one can't be made, none: then throws with what is wrong with each. */
function applyAll(store: Store, changes: readonly ParsedChange[]): string[] {
  return store.transaction(() => {
    const errors: AdminError[] = [];
    const created: string[] = [];
    changes.forEach((change, index) => {
      try {
        const createdId = apply(store, change);
        if (createdId !== undefined) created.push(createdId);
      } catch (error) {
        errors.push({ path: String(index), message: reasonOf(error) });
      }
    });
    if (errors.length > 0) throw new Rejected(errors);
    return created;
  });
}

async function parsed<T extends z.ZodType>(c: Context, schema: T): Promise<z.output<T>> {
  const json: unknown = await c.req.json().catch(() => {
    throw new Rejected([{ path: '', message: 'The body is not JSON.' }]);
  });
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new Rejected(result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })));
}

const typesOfMembers: readonly ObjectType[] = ['user', 'group', 'servicePrincipal'];

/** The JSON API that tests and demos steer the directory with; on the http listener. */
export function admin(store: Store): Hono {
  const app = new Hono();

  app.onError((error, c) => {
    if (error instanceof Rejected) return c.json({ errors: error.errors }, 400);
    throw error;
  });

  for (const kind of ['member', 'owner'] as const) {
    // What the directory holds, whatever readers still see; service principals too.
    app.get(`/admin/groups/:id/${kind}s`, (c) => {
      const groupId = c.req.param('id').toLowerCase();
      if (store.findGroup(groupId, 'now') === undefined)
        return c.json({ errors: [{ path: 'id', message: 'no such group' }] }, 404);
      const within = store.targets(kind, groupId, 'now');
      const found = store.list({ view: 'now', types: typesOfMembers, within, order: 'displayName asc', limit: -1 });
      return c.json(
        found.map(({ type, properties }) => ({ id: properties.id, type, displayName: properties.displayName })),
      );
    });
  }

  // Groups of exactly this name, whatever readers still see.
  app.get('/admin/groups', (c) => {
    const where = { text: 'o.display_name = ?', params: [c.req.query('displayName') ?? ''] };
    const found = store.list({ view: 'now', types: ['group'], where, order: 'id', limit: -1 });
    return c.json(
      found.map(({ properties }) => ({
        id: properties.id,
        displayName: properties.displayName,
        uniqueName: 'uniqueName' in properties ? properties.uniqueName : null,
      })),
    );
  });

  app.post('/admin/changes', async (c) => c.json({ created: applyAll(store, await parsed(c, changesSchema)) }));

  app.get('/admin/settings', (c) => c.json(store.settings()));
  app.put('/admin/settings', async (c) => {
    const { replicationDelayMs, pageSize, appsExemptFromNaming } = await parsed(c, settingsSchema);
    store.changeSettings({
      ...(replicationDelayMs !== undefined && { replicationDelayMs }),
      ...(pageSize !== undefined && { pageSize }),
      ...(appsExemptFromNaming !== undefined && { appsExemptFromNaming }),
    });
    return c.json(store.settings());
  });

  return app;
}

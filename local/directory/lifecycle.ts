import { Hono } from 'hono';
import { z } from 'zod';
import { groupWrite, lifecyclePolicyRead, lifecyclePolicyWrite, need } from './access';
import { groupOf } from './group-lookup';
import { badRequest, notFound } from './problems';
import type { GraphCall, GraphEnv } from './problems';
import { isUnified } from './properties';
import type { Group } from './properties';
import { answerData, bodyOf, context, objectId, refuseOptions } from './query';
import type { Graph } from './query';
import type { Store } from './store';

const POLICY = 'groupLifecyclePolicy';
const POLICY_ID = 'd0000000-0000-4000-8000-000000000002';
const DAY_MS = 24 * 3_600_000;
/** What is left to a group that the policy, when it comes into force, finds past its time. */
const GRACE_DAYS = 35;
const SELECTED_AT_MOST = 500;

/** The tenant's expiration policy; there is at most one. */
export const lifecyclePolicySchema = z.strictObject({
  groupLifetimeInDays: z.int().min(30),
  managedGroupTypes: z.enum(['All', 'Selected', 'None']),
  alternateNotificationEmails: z.string().nullable().default(null),
  /** Ids of the groups that `addGroup` put under a policy for selected ones. */
  selected: z.array(z.guid()).max(SELECTED_AT_MOST).default([]),
});
type LifecyclePolicy = z.output<typeof lifecyclePolicySchema>;

const policyOf = (store: Store): LifecyclePolicy | undefined =>
  lifecyclePolicySchema.optional().parse(store.policy(POLICY));

/** Whether groups of this kind expire, and this one does. */
function governs(policy: LifecyclePolicy | undefined, group: Group): policy is LifecyclePolicy {
  if (policy === undefined || !isUnified(group)) return false;
  if (policy.managedGroupTypes === 'Selected') return policy.selected.includes(group.properties.id);
  return policy.managedGroupTypes === 'All';
}

function expirationOf(policy: LifecyclePolicy | undefined, group: Group): string | null {
  if (!governs(policy, group)) return null;
  const { renewedDateTime, createdDateTime } = group.properties;
  const from = Date.parse(renewedDateTime ?? createdDateTime ?? new Date().toISOString());
  const at = from + policy.groupLifetimeInDays * DAY_MS;
  return new Date(at > Date.now() ? at : Date.now() + GRACE_DAYS * DAY_MS).toISOString();
}

/** Writes into a group when it expires, by its last renewal and the policy. */
export function setExpiration(store: Store, group: Group): void {
  const expirationDateTime = expirationOf(policyOf(store), group);
  if (expirationDateTime === group.properties.expirationDateTime) return;
  store.replace({ type: 'group', properties: { ...group.properties, expirationDateTime } });
}

/** The group's expiration begins anew, now. */
export function renew(store: Store, group: Group): void {
  const renewed = { ...group, properties: { ...group.properties, renewedDateTime: new Date().toISOString() } };
  const expirationDateTime = expirationOf(policyOf(store), renewed);
  store.replace({ type: 'group', properties: { ...renewed.properties, expirationDateTime } });
}

const ONE_MICROSOFT_365_GROUP = `EXISTS (SELECT 1 FROM json_each(o.properties, '$.groupTypes') e WHERE e.value = 'Unified')`;

/** Puts the tenant's policy into force, or takes it away (`null`), and dates all Microsoft 365 groups by it. */
export function setLifecyclePolicy(store: Store, policy: LifecyclePolicy | null): void {
  store.setPolicy(POLICY, policy ?? undefined);
  const groups = store.list({
    view: 'now',
    types: ['group'],
    where: { text: ONE_MICROSOFT_365_GROUP, params: [] },
    limit: -1,
  });
  for (const group of groups) if (group.type === 'group') setExpiration(store, group);
}

/** Deletes, as Entra does, the groups whose time is up by the stack's clock. */
export function deleteExpired(store: Store): void {
  for (const id of store.expired()) store.remove(id);
}

const groupIdSchema = z.object({ groupId: z.string() });

/**
 * `GET /groupLifecyclePolicies` and `/{id}`, `POST /groupLifecyclePolicies/{id}/addGroup` and `/removeGroup`,
 * `POST /groups/{id}/renew`. The policy itself is made by `setLifecyclePolicy` of the admin API.
 */
export function lifecycle(graph: Graph): Hono<GraphEnv> {
  const app = new Hono<GraphEnv>();
  const { store } = graph;

  const shown = ({ selected: _selected, ...policy }: LifecyclePolicy) => ({ id: POLICY_ID, ...policy });
  const named = (id: string): LifecyclePolicy => {
    const policy = objectId(id) === POLICY_ID ? policyOf(store) : undefined;
    if (policy === undefined) throw notFound(id);
    return policy;
  };

  app.get('/groupLifecyclePolicies', (c) => {
    need(c, lifecyclePolicyRead);
    refuseOptions(c, []);
    const policy = policyOf(store);
    return answerData(c, {
      '@odata.context': context(graph, 'groupLifecyclePolicies'),
      value: policy === undefined ? [] : [shown(policy)],
    });
  });

  app.get('/groupLifecyclePolicies/:id', (c) => {
    need(c, lifecyclePolicyRead);
    const policy = named(c.req.param('id'));
    return answerData(c, {
      '@odata.context': context(graph, 'groupLifecyclePolicies', undefined, true),
      ...shown(policy),
    });
  });

  const selecting =
    (change: (selected: readonly string[], id: string) => string[] | undefined) =>
    async (c: GraphCall, policyId: string): Promise<Response> => {
      need(c, lifecyclePolicyWrite);
      const { groupId } = await bodyOf(c, groupIdSchema);
      const value = store.transaction(() => {
        const policy = named(policyId);
        const group = groupOf(graph, groupId, 'now');
        const selected =
          policy.managedGroupTypes === 'Selected' && isUnified(group)
            ? change(policy.selected, group.properties.id)
            : undefined;
        if (selected === undefined || selected.length > SELECTED_AT_MOST) return false;
        store.setPolicy(POLICY, { ...policy, selected });
        setExpiration(store, group);
        return true;
      });
      return answerData(c, { '@odata.context': context(graph, 'Edm.Boolean'), value });
    };
  const addGroup = selecting((selected, id) => (selected.includes(id) ? [...selected] : [...selected, id]));
  const removeGroup = selecting((selected, id) =>
    selected.includes(id) ? selected.filter((each) => each !== id) : undefined,
  );
  app.post('/groupLifecyclePolicies/:id/addGroup', (c) => addGroup(c, c.req.param('id')));
  app.post('/groupLifecyclePolicies/:id/removeGroup', (c) => removeGroup(c, c.req.param('id')));

  app.post('/groups/:id/renew', (c) => {
    need(c, groupWrite);
    store.transaction(() => {
      const group = groupOf(graph, c.req.param('id'), 'now');
      if (!governs(policyOf(store), group)) {
        throw badRequest('The group cannot be renewed because no group lifecycle policy applies to it.');
      }
      renew(store, group);
    });
    return c.body(null, 204);
  });

  return app;
}

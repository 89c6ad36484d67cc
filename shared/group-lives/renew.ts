import { renewGroup } from '../domain/group-life';
import type { GroupLife } from '../domain/group-life';
import type { LifetimePolicy } from '../domain/group-lifetime';
import type { Actor } from '../domain/join-request';
import type { Via } from '../records/dossiers';
import { retryOnConflict } from '../records/tables';
import type { Services } from '../services';
import { lifeRules } from './rules';

/** Whoever renews a group: a person, and whether they are an administrator. */
export interface Renewer {
  id: string;
  name: string;
  administers: boolean;
}

/** A group that the person may renew, as it stands. */
export interface Renewable {
  life: GroupLife;
  rules: LifetimePolicy | undefined;
  as: 'owner' | 'administrator';
  /** The directory has the group. */
  isThere: boolean;
}

/**
 * What a person sees of a group's life who may renew it: its owners of this moment (of one that was deleted, those of then) and
 * administrators. `undefined` for everybody else, and for groups that are not there; `no-life` where the group was not created here. Makes
 * the same calls whatever it finds.
 */
export async function renewableBy(
  services: Services,
  groupId: string,
  me: Renewer,
): Promise<Renewable | 'no-life' | undefined> {
  const { directory, records } = services;
  const [group, owners, stored] = await Promise.all([
    directory.group(groupId),
    directory.owners(groupId),
    records.lives.read(groupId),
  ]);
  const owned = group === undefined && stored?.life.ownersThen?.includes(me.id) === true;
  const owns = owned || owners.some(({ id, accountEnabled }) => id === me.id && accountEnabled);
  if (!owns && !me.administers) return undefined;
  if (stored === undefined) return group === undefined ? undefined : 'no-life';
  const { rules } = await lifeRules(services, stored.life);
  return { life: stored.life, rules, as: owns ? 'owner' : 'administrator', isThere: group !== undefined };
}

export type RenewResult =
  /** Its life begins anew now; or had begun a moment ago, by another call. */
  | { kind: 'renewed'; life: GroupLife; rules: LifetimePolicy | undefined }
  /** Nobody of this name may, or there is no such group. */
  | { kind: 'not-found' }
  /** It lives for ever. */
  | { kind: 'never-expires' }
  | { kind: 'being-deleted' }
  /** It was deleted, then; an administrator can restore it. */
  | { kind: 'deleted'; at: Date };

/** Within so long of a renewal, or of a creation, another one changes nothing: it is the same click again. */
const SAME_MS = 60_000;
/** The directory may show a group for so long that was deleted: only after that it was restored. */
const REPLICATED_MS = 15 * 60_000;

/** Lets the group's life begin anew. The caller wakes its workflow, which tells the directory and those concerned. */
export function renew(
  services: Services,
  { groupId, me, reason, via }: { groupId: string; me: Renewer; reason?: string; via: Via },
  at: Date,
): Promise<RenewResult> {
  const { lives } = services.records;
  return retryOnConflict(async (): Promise<RenewResult> => {
    // before it is looked at who may: what is written must be what was looked at
    const stored = await lives.read(groupId);
    const found = await renewableBy(services, groupId, me);
    if (found === undefined) return { kind: 'not-found' };
    if (found === 'no-life' || stored === undefined) return { kind: 'never-expires' };
    const { rules, as, isThere } = found;
    const { life } = stored;
    if (life.deleting === true) return { kind: 'being-deleted' };
    const { closed, from, warnedAt, expiredAt } = life.life;
    const deletedAt = closed?.how === 'deleted' ? new Date(closed.at) : undefined;
    const isDeleted = deletedAt !== undefined && at.getTime() - deletedAt.getTime() < REPLICATED_MS;
    if (deletedAt !== undefined && (isDeleted || !isThere)) return { kind: 'deleted', at: deletedAt };
    if (!isThere) return { kind: 'not-found' };
    if (rules === undefined && expiredAt === undefined) return { kind: 'never-expires' };
    const isFresh = at.getTime() - new Date(from).getTime() < SAME_MS;
    if (isFresh && warnedAt === undefined && expiredAt === undefined) return { kind: 'renewed', life, rules };
    const by: Actor = { kind: 'person', id: me.id, name: me.name };
    const isRestored = deletedAt !== undefined;
    const renewal = { how: as, by, from: at, isRestored, ...(reason !== undefined && { reason }) };
    const step = renewGroup(life, renewal, rules, at);
    if (step === undefined) return { kind: 'renewed', life, rules };
    return { kind: 'renewed', life: (await lives.write(stored, step, via)).life, rules };
  });
}

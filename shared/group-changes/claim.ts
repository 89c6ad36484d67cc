import { createHash } from 'node:crypto';

import { isOpen, personOf } from '../domain/group-change';
import type { GroupChange, Task } from '../domain/group-change';
import { tidyName } from '../domain/names';
import { keepClaim, takeClaim } from '../records/claims';
import type { Services } from '../services';

type Slot = [scope: string, slot: string];

/** The name of a group, whoever gives it. */
function nameSlot(displayName: string): Slot {
  const name = tidyName(displayName).toLowerCase();
  return [`name_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`, 'create'];
}

/** A member's offer to own a group that nobody owns: it waits for its approval, and keeps nobody from adding an owner meanwhile. */
const OFFER = 'offer';

/**
 * What must not be changed by two at once: the name of a group that is created or renamed, the owners of a group (else two who remove each
 * other would leave none), its description, the membership of one person.
 */
function slotsOf(task: Task, as: GroupChange['as'], groupId: string | undefined): Slot[] {
  if (task.kind === 'create') return [nameSlot(task.wanted.displayName)];
  const scope = groupId ?? '';
  switch (task.kind) {
    case 'describe':
      return [[scope, 'description'], ...(task.displayName === undefined ? [] : [nameSlot(task.displayName)])];
    case 'add-owner':
    case 'remove-owner':
    case 'hand-over':
      return [[scope, as === 'member' ? OFFER : 'owners']];
    case 'add-member':
    case 'remove-member':
      return [[scope, `member_${personOf(task)?.id ?? ''}`]];
  }
}

/** A creation goes by its name for as long as it lives, whatever group comes of it. */
const slotsOfChange = ({ task, as, group }: GroupChange): Slot[] =>
  slotsOf(task, as, task.kind === 'create' ? undefined : group?.id);

/** A change that failed keeps nobody from another one, unless it creates a group, which may stand. */
const keepsClaims = (change: GroupChange): boolean =>
  isOpen(change) && (change.state !== 'failed' || change.task.kind === 'create');

export type ClaimResult = { kind: 'taken' } | { kind: 'open-already'; change: GroupChange } | { kind: 'in-progress' };

/**
 * Takes the claims for the change `id`; those of a change that is over, or failed, or never came to be, are taken over. One that failed
 * finds that it came second when operations let it be tried again.
 */
export async function takeChangeClaims(
  { records }: Services,
  { task, as, groupId, id }: { task: Task; as: GroupChange['as']; groupId?: string; id: string },
  at: Date,
): Promise<ClaimResult> {
  const taken: Slot[] = [];
  for (const slot of slotsOf(task, as, groupId)) {
    const claimed = await takeClaim(records.claims, slot, id, at, {
      read: async (holderId) => (await records.changes.read(holderId))?.request,
      holds: keepsClaims,
    });
    if (claimed.kind !== 'taken') {
      await Promise.all(taken.map(([scope, name]) => records.claims.release(scope, name, id)));
      return claimed.kind === 'held' ? { kind: 'open-already', change: claimed.by } : claimed;
    }
    taken.push(slot);
  }
  return { kind: 'taken' };
}

/** Sees to it that the change has its claims, and takes those again that nobody has any more. */
const keepClaims = ({ records }: Services, change: GroupChange, at: Date) =>
  Promise.all(slotsOfChange(change).map((slot) => keepClaim(records.claims, slot, change.id, at)));

/** Whether no other change has a claim of this one. Those that nobody has, as after a failure, it takes again. */
export async function holdsChangeClaims(services: Services, change: GroupChange, at: Date): Promise<boolean> {
  return !(await keepClaims(services, change, at)).includes('lost');
}

/**
 * Takes claims of an open change again that were lost: without them another change of the same could be filed beside it.
 * @returns how many
 */
export async function changeClaimsBack(services: Services, change: GroupChange, at: Date): Promise<number> {
  return keepsClaims(change) ? (await keepClaims(services, change, at)).filter((claim) => claim === 'back').length : 0;
}

export async function releaseChangeClaims({ records }: Services, change: GroupChange): Promise<void> {
  await Promise.all(slotsOfChange(change).map(([scope, name]) => records.claims.release(scope, name, change.id)));
}

/** The change by which somebody offers now to take the group over. */
export async function openOffer({ records }: Services, groupId: string): Promise<GroupChange | undefined> {
  const claim = await records.claims.read(groupId, OFFER);
  const change = claim && (await records.changes.read(claim.requestId))?.request;
  return change !== undefined && isOpen(change) ? change : undefined;
}

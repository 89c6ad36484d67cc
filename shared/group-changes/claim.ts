import { createHash } from 'node:crypto';

import { isOpen, personOf } from '../domain/group-change';
import type { GroupChange, Task } from '../domain/group-change';
import { tidyName } from '../domain/names';
import { takeClaim } from '../records/claims';
import type { Services } from '../services';

/**
 * What must not be changed by two at once: the name of a group that is created, the owners of a group (else two who remove each other
 * would leave none), its description, the membership of one person.
 */
function slotOf(task: Task, groupId: string | undefined): [scope: string, slot: string] {
  if (task.kind === 'create') {
    const name = tidyName(task.wanted.displayName).toLowerCase();
    return [`name_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`, 'create'];
  }
  const scope = groupId ?? '';
  switch (task.kind) {
    case 'describe':
      return [scope, 'description'];
    case 'add-owner':
    case 'remove-owner':
    case 'hand-over':
      return [scope, 'owners'];
    case 'add-member':
    case 'remove-member':
      return [scope, `member_${personOf(task)?.id ?? ''}`];
  }
}

/** A creation goes by its name for as long as it lives, whatever group comes of it. */
const slotOfChange = ({ task, group }: GroupChange): [string, string] =>
  slotOf(task, task.kind === 'create' ? undefined : group?.id);

export type ClaimResult = { kind: 'taken' } | { kind: 'open-already'; change: GroupChange } | { kind: 'in-progress' };

/** Takes the claim for the change `id`; of a change that is over, or never came to be, it is taken over. */
export async function takeChangeClaim(
  { records }: Services,
  { task, groupId, id }: { task: Task; groupId?: string; id: string },
  at: Date,
): Promise<ClaimResult> {
  const claimed = await takeClaim(records.claims, slotOf(task, groupId), id, at, {
    read: async (holderId) => (await records.changes.read(holderId))?.request,
    holds: isOpen,
  });
  return claimed.kind === 'held' ? { kind: 'open-already', change: claimed.by } : claimed;
}

/** Whether no other change took the claim before this one was written. */
export async function holdsChangeClaim({ records }: Services, change: GroupChange): Promise<boolean> {
  const claim = await records.claims.read(...slotOfChange(change));
  return claim === undefined || claim.requestId === change.id;
}

export const releaseChangeClaim = ({ records }: Services, change: GroupChange): Promise<void> =>
  records.claims.release(...slotOfChange(change), change.id);

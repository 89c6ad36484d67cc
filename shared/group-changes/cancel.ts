import { cancel, isOpen } from '../domain/group-change';
import type { GroupChange } from '../domain/group-change';
import type { Actor } from '../domain/join-request';
import { changeStored } from '../records/dossiers';
import type { Via } from '../records/dossiers';
import type { Services } from '../services';
import { uniqueNameOf } from './create';

export type CancelResult =
  | { kind: 'cancelled'; change: GroupChange }
  /** It is over, or being applied. */
  | { kind: 'too-late'; change: GroupChange }
  /** The directory made the group, although its answer was lost or said otherwise. */
  | { kind: 'group-stands'; change: GroupChange }
  | { kind: 'unknown' };

/** Operations end an open change. Never one whose group stands: it would be left with nobody to care for it. */
export async function cancelChange(
  services: Services,
  id: string,
  { by, reason, via }: { by: Actor; reason: string; via: Via },
  at: Date,
): Promise<CancelResult> {
  const { changes } = services.records;
  const before = (await changes.read(id))?.request;
  if (before === undefined) return { kind: 'unknown' };
  if (await groupStands(services, before)) return { kind: 'group-stands', change: before };
  const stored = await changeStored(changes, id, via, (change) =>
    isOpen(change) && change.state !== 'applying' && !(change.task.kind === 'create' && change.group !== undefined)
      ? cancel(change, { rule: 'operations', sentence: reason }, at, by)
      : undefined,
  );
  if (stored === undefined) return { kind: 'unknown' };
  const { request: change } = stored;
  return { kind: change.state === 'cancelled' ? 'cancelled' : 'too-late', change };
}

/** An attempt before may have come through, whatever became of the change since. */
const groupStands = async ({ directory }: Services, change: GroupChange): Promise<boolean> =>
  change.task.kind === 'create' &&
  isOpen(change) &&
  change.group === undefined &&
  (await directory.groupByUniqueName(uniqueNameOf(change))) !== undefined;

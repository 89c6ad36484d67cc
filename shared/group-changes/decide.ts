import { decide, withdraw } from '../domain/group-change';
import type { GroupChange } from '../domain/group-change';
import type { Actor } from '../domain/join-request';
import { changeStored } from '../records/dossiers';
import type { Via } from '../records/dossiers';
import { retryOnConflict } from '../records/tables';
import type { Services } from '../services';
import { approversOfChange } from './approvers';

export type ChangeDecisionResult =
  | { kind: 'recorded'; change: GroupChange }
  /** It was closed before. */
  | { kind: 'stands'; change: GroupChange }
  | { kind: 'not-yours'; change: GroupChange }
  | { kind: 'unknown' };

/** Records the decision of someone who may decide at this moment: asked of the directory now, not remembered from the mail. The first counts. */
export function decideChange(
  { directory, records }: Services,
  decision: { changeId: string; by: { id: string }; choice: 'approve' | 'deny'; comment?: string; via: Via },
  at: Date,
): Promise<ChangeDecisionResult> {
  return retryOnConflict(async (): Promise<ChangeDecisionResult> => {
    const stored = await records.changes.read(decision.changeId);
    if (stored === undefined) return { kind: 'unknown' };
    const change = stored.request;
    if (change.state !== 'pending') return { kind: 'stands', change };
    const me = (await approversOfChange(directory, change)).find(({ id }) => id === decision.by.id);
    if (me === undefined) return { kind: 'not-yours', change };
    const { choice, comment } = decision;
    const decided = decide(change, me, { choice, ...(comment !== undefined && { comment }) }, at);
    if (decided === undefined) return { kind: 'stands', change };
    return { kind: 'recorded', change: (await records.changes.write(stored, decided, decision.via)).request };
  });
}

/** Takes a pending change back. `withdrawn` is false where another outcome stands already: it is returned as it stands. */
export async function withdrawChange(
  { records }: Services,
  id: string,
  by: Actor,
  via: Via,
  at: Date,
): Promise<{ change: GroupChange; withdrawn: boolean } | undefined> {
  const stored = await changeStored(records.changes, id, via, (change) => withdraw(change, by, at));
  return stored && { change: stored.request, withdrawn: stored.request.state === 'withdrawn' };
}

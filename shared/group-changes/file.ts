import { createHash, randomBytes } from 'node:crypto';

import { ask } from '../domain/group-change';
import type { Asking, GroupChange } from '../domain/group-change';
import type { Via } from '../records/dossiers';
import type { StoredChange } from '../records/group-changes';
import { Conflict } from '../records/tables';
import type { Services } from '../services';
import type { FieldError } from '../web/problem';
import { takeChangeClaims } from './claim';

/** A rule that keeps a change from being asked for or applied. `rule` names it for machines. */
export interface ChangeRefusal {
  rule: string;
  /** One sentence or two saying which rule, and what to do instead. */
  sentence: string;
}

/** How a change is asked for, whatever it is. */
export interface FilingOf {
  askedBy: { id: string; name: string };
  /** Door and group, for the id of a change with an Idempotency-Key. */
  scope: string;
  via: Via;
  /** Rejects where the caller may not ask now; awaited before anything is written. */
  admitted: Promise<void>;
  /** Present where the caller sent an Idempotency-Key: the key, and the body it goes with. */
  idempotency?: { key: string; body: string };
}

export type FileChangeResult =
  /** Filed now, or before by the same key: the workflow shall run. */
  | { kind: 'filed'; change: GroupChange }
  /** Somebody is changing the same already. */
  | { kind: 'open-already'; change: GroupChange }
  | { kind: 'refused'; refusal: ChangeRefusal }
  | { kind: 'invalid'; errors: FieldError[] }
  /** Nothing that the caller may know of. */
  | { kind: 'not-found' }
  | { kind: 'not-yours' }
  | { kind: 'key-reused' }
  /** Another call is asking for the same at this moment. */
  | { kind: 'in-progress' };

/** What comes of looking at it: what shall be filed, or why it can't be. */
export type Looked =
  | { kind: 'may'; asking: Omit<Asking, 'id' | 'askedBy'> }
  | Extract<FileChangeResult, { kind: 'refused' | 'invalid' | 'not-found' | 'not-yours' }>;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The id is derived from caller, door and key, so that creating the row is the check for a repeat; without a key it is random. */
export function changeId({ askedBy, scope, idempotency }: Pick<FilingOf, 'askedBy' | 'scope' | 'idempotency'>): string {
  if (idempotency === undefined) return randomBytes(16).toString('hex');
  return sha256(JSON.stringify(['change', askedBy.id, scope, idempotency.key])).slice(0, 32);
}

const repeated = ({ request, bodyHash: before }: StoredChange, bodyHash: string | undefined): FileChangeResult =>
  before === bodyHash ? { kind: 'filed', change: request } : { kind: 'key-reused' };

/**
 * Files a change: claim, open row, change row, in this order, so that a crash after any of them leaves nothing that a repeat, the sweeper
 * or the next filing does not mend. Nothing is written for a change that is refused.
 */
export async function fileChange(
  services: Services,
  filing: FilingOf,
  look: () => Promise<Looked>,
  at: Date,
): Promise<FileChangeResult> {
  const { changes } = services.records;
  const id = changeId(filing);
  const bodyHash = filing.idempotency === undefined ? undefined : sha256(filing.idempotency.body);
  const [before] = await Promise.all([
    filing.idempotency === undefined ? undefined : changes.read(id),
    filing.admitted,
  ]);
  if (before !== undefined) return repeated(before, bodyHash);
  const looked = await look();
  if (looked.kind !== 'may') return looked;

  const asking: Asking = { ...looked.asking, id, askedBy: filing.askedBy };
  const groupId = asking.group?.id;
  const claim = await takeChangeClaims(
    services,
    { task: asking.task, as: asking.as, id, ...(groupId !== undefined && { groupId }) },
    at,
  );
  if (claim.kind !== 'taken') return claim;
  try {
    const stored = await changes.create(ask(asking, at), {
      ...filing.via,
      ...(bodyHash !== undefined && { bodyHash }),
    });
    return { kind: 'filed', change: stored.request };
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    // a repeat of the same call got here first, or the answer to our own write was lost
    const stored = await changes.read(id);
    if (stored === undefined) throw error;
    return repeated(stored, bodyHash);
  }
}

import { changeFacts, isOpen, personOf } from '../domain/group-change';
import type { ChangeEvent, GroupChange } from '../domain/group-change';
import type { Uncopied } from './audit';
import { dossiers } from './dossiers';
import type { DossierKind, DossierOf, Dossiers, StoredOf } from './dossiers';
import { NEVER_DUE } from './open-rows';
import type { OpenRows } from './open-rows';
import type { Row, Table } from './tables';

export type StoredChange = StoredOf<GroupChange>;
export type ChangeDossier = DossierOf<GroupChange, ChangeEvent>;
export type GroupChanges = Dossiers<GroupChange, ChangeEvent>;

/** How group changes are kept. */
export const changeKind: DossierKind<GroupChange> = {
  prefix: 'c_',
  row: (change) => ({
    state: change.state,
    kind: change.task.kind,
    ...(change.group !== undefined && { groupId: change.group.id }),
    askedBy: change.askedBy.id,
    json: JSON.stringify(change),
  }),
  // the rows are our own and were validated when they were written
  parse: (row: Row) => JSON.parse(String(row['json'])) as GroupChange,
  pointers: (change) => {
    const due = change.due ?? (isOpen(change) ? NEVER_DUE : undefined);
    return due === undefined ? [] : [{ due, kind: 'change', requestId: change.id }];
  },
  facts: changeFacts,
  // the same for all entries of the chain: a group that is being created comes later than the first of them
  about: ({ task, group, askedBy }) => {
    const person = task.kind === 'create' ? askedBy : personOf(task);
    return {
      ...(task.kind !== 'create' && group !== undefined && { groupId: group.id }),
      ...(person !== undefined && { personId: person.id }),
    };
  },
  circumstances: ({ policyVersion }) => ({ ...(policyVersion !== undefined && { policyVersion }) }),
};

/** Changes of groups, each a dossier of its own beside those of the join requests. */
export const groupChanges = (table: Table, open: OpenRows, uncopied: Uncopied): GroupChanges =>
  dossiers(table, open, uncopied, changeKind);

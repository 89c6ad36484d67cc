import { careFacts } from '../domain/ownerless';
import type { Care, CareEvent } from '../domain/ownerless';
import type { Uncopied } from './audit';
import { dossiers } from './dossiers';
import type { DossierKind, DossierOf, Dossiers, StoredOf } from './dossiers';
import type { OpenRows } from './open-rows';
import type { Row, Table } from './tables';

export type StoredCare = StoredOf<Care>;
export type CareDossier = DossierOf<Care, CareEvent>;
export type Cares = Dossiers<Care, CareEvent>;

/** How the care for groups with too few owners is kept: one dossier for each group, of the group's id. */
export const careKind: DossierKind<Care> = {
  prefix: 'o_',
  row: (care) => ({ state: care.state, groupId: care.id, json: JSON.stringify(care) }),
  // the rows are our own and were validated when they were written
  parse: (row: Row) => JSON.parse(String(row['json'])) as Care,
  pointers: ({ id, due }) => (due === null ? [] : [{ due, kind: 'care', requestId: id }]),
  facts: careFacts,
  about: ({ id }) => ({ groupId: id }),
  circumstances: () => ({}),
};

export const cares = (table: Table, open: OpenRows, uncopied: Uncopied): Cares =>
  dossiers(table, open, uncopied, careKind);

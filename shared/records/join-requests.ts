import { requestFacts } from '../domain/audit-chain';
import { grantDue, isOpen } from '../domain/join-request';
import type { JoinRequest, TrailEvent } from '../domain/join-request';
import type { Uncopied } from './audit';
import { briefOf } from './brief';
import { dossiers } from './dossiers';
import type { DossierKind, DossierOf, Dossiers, StoredOf } from './dossiers';
import type { Lists } from './lists';
import { NEVER_DUE } from './open-rows';
import type { OpenRow, OpenRows } from './open-rows';
import type { Row, Table } from './tables';

export type { Via, WriteOptions } from './dossiers';
export type { Mail } from './mail-rows';

/** A join request as it was read. */
export type Stored = StoredOf<JoinRequest>;
/** Everything that is kept of a join request. */
export type Dossier = DossierOf<JoinRequest, TrailEvent>;
export type JoinRequests = Dossiers<JoinRequest, TrailEvent>;

/** The request's open rows: its next step, never due for what waits for operations, and what its grant has due next. */
function pointers(request: JoinRequest): OpenRow[] {
  const { id: requestId } = request;
  const due = request.due ?? (isOpen(request) ? NEVER_DUE : undefined);
  const grant = grantDue(request)?.toISOString();
  return [
    ...(due === undefined ? [] : [{ due, kind: 'join' as const, requestId, brief: briefOf(request) }]),
    ...(grant === undefined ? [] : [{ due: grant, kind: 'grant' as const, requestId }]),
  ];
}

// The rows are our own and were validated when they were written: the shape is trusted, not parsed again at every read.
const parse = (row: Row): JoinRequest => ({
  ...(JSON.parse(String(row['json'])) as Omit<JoinRequest, 'policy'>),
  policy: JSON.parse(String(row['policy'])) as JoinRequest['policy'],
});

/** How join requests are kept. */
export const joinRequestKind: DossierKind<JoinRequest> = {
  prefix: 'r_',
  row: ({ policy, ...rest }) => ({
    state: rest.state,
    groupId: rest.group.id,
    requesterId: rest.requester.id,
    json: JSON.stringify(rest),
    policy: JSON.stringify(policy),
  }),
  parse,
  pointers,
  facts: requestFacts,
  about: ({ group, requester }) => ({ groupId: group.id, personId: requester.id }),
  circumstances: ({ policyVersion, filedBy, requester }) => ({
    policyVersion,
    ...(filedBy.kind === 'app' && {
      onBehalfOf: { kind: 'person' as const, id: requester.id, actor: filedBy.id },
    }),
  }),
};

export const joinRequests = (table: Table, open: OpenRows, lists: Lists, uncopied: Uncopied): JoinRequests =>
  dossiers(table, open, uncopied, joinRequestKind, lists);

import type { TokenCredential } from '@azure/identity';

import type { Change, JoinRequest } from '../domain/join-request';
import { groupTrail, trails, uncopied } from './audit';
import type { GroupTrail, Trails, Uncopied } from './audit';
import { claims } from './claims';
import type { Claims } from './claims';
import { desks } from './desks';
import type { Desks } from './desks';
import { changeStored } from './dossiers';
import { groupChanges } from './group-changes';
import type { GroupChanges } from './group-changes';
import { groupLives } from './group-lives';
import type { GroupLives } from './group-lives';
import { joinRequests } from './join-requests';
import type { JoinRequests, Stored, WriteOptions } from './join-requests';
import { limits } from './limits';
import type { CallLimits, Limits } from './limits';
import { links } from './links';
import type { Links } from './links';
import { mailIndex } from './mail-index';
import type { MailIndex } from './mail-index';
import { mailQuota } from './mail-quota';
import type { MailLimits, MailQuota } from './mail-quota';
import { lists } from './lists';
import type { Lists } from './lists';
import { memberships } from './memberships';
import type { Memberships } from './memberships';
import { openRows } from './open-rows';
import type { OpenRows } from './open-rows';
import { cares } from './ownerless';
import type { Cares } from './ownerless';
import { operationsNotes } from './operations-notes';
import type { OperationsNotes } from './operations-notes';
import { policies } from './policies';
import type { Policies } from './policies';
import { selfService } from './self-service';
import type { SelfService } from './self-service';
import { connectTables } from './tables';
import type { Tables } from './tables';

/** What Gatehouse keeps in Table Storage. */
export interface Records {
  requests: JoinRequests;
  changes: GroupChanges;
  lives: GroupLives;
  /** The care for groups with too few owners. */
  cares: Cares;
  open: OpenRows;
  lists: Lists;
  claims: Claims;
  links: Links;
  memberships: Memberships;
  policies: Policies;
  selfService: SelfService;
  mails: MailIndex;
  desks: Desks;
  quota: MailQuota;
  limits: Limits;
  trails: Trails;
  /** What changes without a request. */
  groupTrail: GroupTrail;
  uncopied: Uncopied;
  notes: OperationsNotes;
}

/** How many mails may be sent and how many requests filed. */
export interface Allowed {
  mails: MailLimits;
  calls: CallLimits;
}

export const connectRecords = (
  endpoint: string,
  credential: TokenCredential,
  allowed: Allowed,
  timeoutMs: number,
): Records => recordsIn(connectTables(endpoint, credential, timeoutMs), allowed);

/** The records as they stand in these tables. */
export function recordsIn(tables: Tables, allowed: Allowed): Records {
  const open = openRows(tables.open);
  const listed = lists(tables.openbyage, tables.bysubject);
  const pointers = uncopied(tables.uncopied);
  const ofGroups = groupTrail(tables.policies, pointers);
  return {
    open,
    lists: listed,
    requests: joinRequests(tables.requests, open, listed, pointers),
    changes: groupChanges(tables.requests, open, pointers),
    lives: groupLives(tables.policies, ofGroups, open),
    cares: cares(tables.requests, open, pointers),
    claims: claims(tables.claims),
    links: links(tables.links),
    memberships: memberships(tables.memberships),
    policies: policies(tables.policies, ofGroups),
    selfService: selfService(tables.policies, ofGroups),
    mails: mailIndex(tables.mails),
    desks: desks(tables.desks),
    quota: mailQuota(tables.quota, allowed.mails),
    limits: limits(tables.limits, allowed.calls),
    trails: trails(tables),
    groupTrail: ofGroups,
    uncopied: pointers,
    notes: operationsNotes(tables.operations),
  };
}

/** One compare-and-swap of a join request: see `changeStored`. */
export function changeRequest(
  { requests }: Records,
  id: string,
  options: WriteOptions,
  decide: (request: JoinRequest) => Change | undefined,
): Promise<Stored | undefined> {
  return changeStored(requests, id, options, decide);
}

/** The request that holds the claim of this person for this group, whether it is still open or not. */
export async function claimHolder(
  records: Records,
  groupId: string,
  personId: string,
): Promise<JoinRequest | undefined> {
  const claim = await records.claims.read(groupId, personId);
  return claim && (await records.requests.read(claim.requestId))?.request;
}

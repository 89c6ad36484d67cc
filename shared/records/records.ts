import type { TokenCredential } from '@azure/identity';

import type { Change, JoinRequest } from '../domain/join-request';
import { claims } from './claims';
import type { Claims } from './claims';
import { joinRequests } from './join-requests';
import type { JoinRequests, Stored, WriteOptions } from './join-requests';
import { links } from './links';
import type { Links } from './links';
import { memberships } from './memberships';
import type { Memberships } from './memberships';
import { openRows } from './open-rows';
import type { OpenRows } from './open-rows';
import { policies } from './policies';
import type { Policies } from './policies';
import { connectTables, retryOnConflict } from './tables';

/** What Gatehouse keeps in Table Storage. */
export interface Records {
  requests: JoinRequests;
  open: OpenRows;
  claims: Claims;
  links: Links;
  memberships: Memberships;
  policies: Policies;
}

export function connectRecords(endpoint: string, credential: TokenCredential): Records {
  const tables = connectTables(endpoint, credential);
  const open = openRows(tables.open);
  return {
    open,
    requests: joinRequests(tables.requests, open),
    claims: claims(tables.claims),
    links: links(tables.links),
    memberships: memberships(tables.memberships),
    policies: policies(tables.policies),
  };
}

/**
 * One compare-and-swap: reads the request, lets `decide` say how it changes, writes. The loser of a race reads again and decides again.
 * @returns what stands: as written, or as it was where `decide` left it alone; `undefined` where there is no such request.
 */
export function changeRequest(
  records: Records,
  id: string,
  options: WriteOptions,
  decide: (request: JoinRequest) => Change | undefined,
): Promise<Stored | undefined> {
  return retryOnConflict(async () => {
    const stored = await records.requests.read(id);
    if (stored === undefined) return undefined;
    const change = decide(stored.request);
    return change === undefined ? stored : records.requests.write(stored, change, options);
  });
}

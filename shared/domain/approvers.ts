import type { Person } from './eligibility';

/** Someone who may decide: an enabled member of the tenant with a mailbox. */
export interface Approver {
  id: string;
  displayName: string;
  mail: string;
}

/**
 * Those of the candidates who may decide a request of `requesterId` now. Never the requester, by any route; never an account that is
 * disabled or has no mailbox to be asked at; never a guest. Each person once, in the order given.
 */
export function eligibleApprovers(candidates: readonly Person[], requesterId: string): Approver[] {
  const seen = new Set<string>();
  return candidates.flatMap((person) => {
    if (person.id === requesterId || seen.has(person.id)) return [];
    if (!person.accountEnabled || person.isGuest || person.mail === null) return [];
    seen.add(person.id);
    return [{ id: person.id, displayName: person.displayName, mail: person.mail }];
  });
}

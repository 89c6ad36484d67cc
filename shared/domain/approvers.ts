import type { Person } from './eligibility';

/** Someone who may decide: an enabled member of the tenant with a mailbox. */
export interface Approver {
  id: string;
  displayName: string;
  mail: string;
}

/** People of whom so many must approve. Where a stage has several parties, all of them must agree. */
export interface Party {
  required: number;
  approvers: Approver[];
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

/** Everyone who may decide, whatever their party; each once. */
export function everyoneOf(parties: readonly Party[]): Approver[] {
  return [...new Map(parties.flatMap(({ approvers }) => approvers).map((person) => [person.id, person])).values()];
}

/** So many of those who may decide are asked by mail and shown; whoever else may decide can. */
export const MOST_ASKED = 100;

/** How many people must approve in all: a person counts for one party only. */
export const requiredOf = (parties: readonly { required: number }[]): number =>
  parties.reduce((sum, { required }) => sum + required, 0);

/**
 * Whether these people suffice: each counts for one party of theirs, and every party has as many as it requires. Someone of two parties
 * fills the place where they are needed (a matching of people to places).
 */
export const suffices = (parties: readonly Party[], ids: ReadonlySet<string>): boolean =>
  filled(parties, ids) === requiredOf(parties);

/** How many of the places of all parties these people fill, each of them one at most. */
export function filled(
  parties: readonly { required: number; approvers: readonly { id: string }[] }[],
  ids: ReadonlySet<string>,
): number {
  const places = parties.flatMap(({ required, approvers }) => {
    const candidates = approvers.map(({ id }) => id).filter((id) => ids.has(id));
    return Array.from({ length: required }, () => candidates);
  });
  const placeOf = new Map<string, number>();
  /** Finds somebody for the place, where need be by moving people who have one already. */
  const fill = (place: number, tried: Set<string>): boolean =>
    (places[place] ?? []).some((id) => {
      if (tried.has(id)) return false;
      tried.add(id);
      const taken = placeOf.get(id);
      if (taken !== undefined && !fill(taken, tried)) return false;
      placeOf.set(id, place);
      return true;
    });
  return places.filter((_, place) => fill(place, new Set())).length;
}

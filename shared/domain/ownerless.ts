import type { Facts } from './audit-chain';
import { addDuration } from './duration';
import type { Named } from './group-change';
import { GATEHOUSE } from './join-request';
import type { Actor } from './join-request';

/** Between two mails to the only owner of a group. */
const OWNER_ASKED_EVERY = 'P30D';
/** How long the members of a round have before the next ones are asked, and until a group where nobody is left is looked at again. */
const ROUND = 'P7D';
/** Until an offer that waits for its approval is looked at again. */
const OFFER_SEEN_AGAIN = 'P1D';
/** So many members are asked at a time. */
export const ASKED_AT_A_TIME = 3;

/**
 * `one-owner`: the only owner who can decide is asked to name a second. `no-owner`: members are asked to take over. `offered`: one of them
 * did, and that waits for its approval. `nobody-left`: nobody can be asked, and operations must look. `mended`, `closed`: nothing is left to do.
 */
export type CareState = 'found' | 'one-owner' | 'no-owner' | 'offered' | 'nobody-left' | 'mended' | 'closed';

/** A mail to an only owner: of which group's care, and which one of it. */
export interface Letter {
  care: string;
  letter: number;
}

/** The care for one group with too few owners who can decide. Its id is the group's. Times are ISO 8601 in UTC. */
export interface Care {
  id: string;
  group: Named;
  state: CareState;
  /** How often the group came to have too few: whom it asked before does not count. */
  shortage: number;
  since: string;
  /** Mails to an only owner so far, in all shortages, and when the latest was written. */
  letters: number;
  ownerAskedAt?: string;
  /** Ids of the other groups of the same only owner that the latest mail names as well. */
  together?: string[];
  /** The latest mail that asked the owner is the one of another group's care, which named this group as well. */
  askedWith?: Letter;
  /** Rounds of members so far, and when the latest began. */
  round: number;
  roundAt?: string;
  /** Ids of the members who were asked in this shortage, in their order. */
  asked: string[];
  /** Who offered to take over, and the group change that says so. */
  offer?: { personId: string; changeId: string };
  /** Why operations must look, or why nothing is done any more. */
  why?: { rule: string; sentence: string };
  /** When it is looked at next; null where nothing is left to do. */
  due: string | null;
}

export type CareEvent =
  | 'care-began'
  | 'owner-asked'
  | 'owner-not-asked'
  | 'members-asked'
  | 'members-waited-for'
  | 'offer-seen'
  | 'nobody-left'
  | 'care-ended';

export interface CareChange {
  request: Care;
  entries: { event: CareEvent; at: string; by: Actor; data?: Record<string, unknown> }[];
}

const iso = (at: Date): string => at.toISOString();

const change = (request: Care, event: CareEvent, at: Date, data?: Record<string, unknown>): CareChange => ({
  request,
  entries: [{ event, at: iso(at), by: GATEHOUSE, ...(data !== undefined && { data }) }],
});

/** Only the time of the next look is another one. */
const later = (request: Care): CareChange => ({ request, entries: [] });

export const isInCare = ({ state }: Care): boolean => state !== 'mended' && state !== 'closed';

/** What the trail keeps: it changes only together with an entry. */
export const careFacts = ({ id, state, shortage, round }: Care): Facts => ({ groupId: id, state, shortage, round });

/** The group has too few owners: from now on it is cared for. `before`: the care of an earlier shortage. */
export function begin(group: Named, before: Care | undefined, at: Date): CareChange {
  const care: Care = {
    id: group.id,
    group,
    state: 'found',
    shortage: (before?.shortage ?? 0) + 1,
    since: iso(at),
    letters: before?.letters ?? 0,
    // the mail of a month is the group's, whatever happened between
    ...(before?.ownerAskedAt !== undefined && { ownerAskedAt: before.ownerAskedAt }),
    round: 0,
    asked: [],
    due: iso(at),
  };
  return change(care, 'care-began', at);
}

/** It is looked at at once, before its time. `undefined` where it is due already, or not in care. */
export const lookNow = (care: Care, at: Date): CareChange | undefined =>
  isInCare(care) && (care.due === null || new Date(care.due) > at) ? later({ ...care, due: iso(at) }) : undefined;

/** Without what only some states have. */
function plain(care: Care): Care {
  const { why: _why, offer: _offer, ...rest } = care;
  return rest;
}

/** When the only owner may be mailed again. */
export const ownerMayBeAsked = ({ ownerAskedAt }: Care): Date =>
  ownerAskedAt === undefined ? new Date(0) : addDuration(new Date(ownerAskedAt), OWNER_ASKED_EVERY);

/** The only owner is to be mailed. Which other groups the mail names is looked for after this was written, and then the mail stands. */
export function askOwner(care: Care, ownerId: string, at: Date): CareChange {
  const { together: _together, askedWith: _with, ...rest } = plain(care);
  const request: Care = { ...rest, state: 'one-owner', letters: care.letters + 1, ownerAskedAt: iso(at) };
  return change(request, 'owner-asked', at, { people: [ownerId] });
}

/** The groups that the mail names besides this one: written with the mail. */
export const namesTogether = (care: Care, together: readonly string[]): CareChange =>
  later({ ...care, ...(together.length > 0 && { together: [...together] }) });

export const isAskedWith = ({ askedWith }: Care, { care, letter }: Letter): boolean =>
  askedWith?.care === care && askedWith.letter === letter;

/** The mail about another group of the same owner names this one, and no other mail does. `undefined` where the owner was asked before. */
export function askedWithAnother(care: Care, ownerId: string, by: Letter, at: Date): CareChange | undefined {
  if (!isInCare(care) || ownerMayBeAsked(care) > at) return undefined;
  const { together: _together, ...rest } = plain(care);
  const asked: Care = { ...rest, state: 'one-owner', ownerAskedAt: iso(at), askedWith: by };
  const request: Care = { ...asked, due: iso(ownerMayBeAsked(asked)) };
  return change(request, 'owner-asked', at, { people: [ownerId], with: by.care });
}

/** The mail that was to ask about this group is not sent any more: whoever owns it now is asked anew. `undefined` where it was another mail. */
export function letterWithdrawn(care: Care, by: Letter, at: Date): CareChange | undefined {
  const isOwn = care.id === by.care && care.letters === by.letter && care.askedWith === undefined;
  if (care.state !== 'one-owner' || !(isOwn || isAskedWith(care, by))) return undefined;
  const { together: _together, askedWith: _with, ownerAskedAt: _at, ...rest } = plain(care);
  return change({ ...rest, state: 'found', due: iso(at) }, 'owner-not-asked', at);
}

/** The only owner was mailed in this month. */
export function waitForOwner(care: Care, at: Date): CareChange {
  const request: Care = { ...plain(care), state: 'one-owner', due: iso(ownerMayBeAsked(care)) };
  // another one was mailed before it came to have one owner only
  return care.state === 'one-owner' ? later(request) : change(request, 'owner-asked', at, { people: [] });
}

/** When the present round of members is over. */
export const roundEnds = ({ roundAt }: Care): Date =>
  roundAt === undefined ? new Date(0) : addDuration(new Date(roundAt), ROUND);

/** The next members are to be mailed: written with the mails, which are sent after it. */
export function askMembers(care: Care, people: readonly string[], at: Date): CareChange {
  const round = care.round + 1;
  const asked = [...care.asked, ...people];
  return change({ ...plain(care), state: 'no-owner', round, roundAt: iso(at), asked }, 'members-asked', at, {
    round,
    people,
  });
}

/** Those who were asked have their week. */
export function waitForRound(care: Care, at: Date): CareChange {
  const request: Care = { ...plain(care), state: 'no-owner', due: iso(roundEnds(care)) };
  return care.state === 'no-owner' ? later(request) : change(request, 'members-waited-for', at);
}

/** Somebody offered to take over, and that waits for its approval. */
export function seeOffer(care: Care, offer: NonNullable<Care['offer']>, at: Date): CareChange {
  const request: Care = { ...plain(care), state: 'offered', offer, due: iso(addDuration(at, OFFER_SEEN_AGAIN)) };
  return care.state === 'offered' && care.offer?.changeId === offer.changeId
    ? later(request)
    : change(request, 'offer-seen', at, { people: [offer.personId], changeId: offer.changeId });
}

/** Nobody can be asked: operations must look. It is looked at again, because a member may have come. */
export function nobodyLeft(care: Care, why: { rule: string; sentence: string }, at: Date): CareChange {
  const request: Care = { ...plain(care), state: 'nobody-left', why, due: iso(addDuration(at, ROUND)) };
  return care.state === 'nobody-left' && care.why?.rule === why.rule
    ? later(request)
    : change(request, 'nobody-left', at, { rule: why.rule });
}

/** The mail to the only owner did not arrive: operations must look, until the owner may be mailed again. */
export function ownerUnreachable(care: Care, at: Date): CareChange | undefined {
  if (care.state !== 'one-owner') return undefined;
  const why = {
    rule: 'owner-unreachable',
    sentence:
      'The mail to the only owner could not be delivered, so nobody was asked to name a second one. Add an owner.',
  };
  const request: Care = { ...plain(care), state: 'nobody-left', why, due: iso(ownerMayBeAsked(care)) };
  return change(request, 'nobody-left', at, { rule: why.rule });
}

/** It has enough owners again (`why` is absent), or is not Gatehouse's to care for any more. */
export function endCare(care: Care, why: Care['why'], at: Date): CareChange {
  const request: Care = {
    ...plain(care),
    state: why === undefined ? 'mended' : 'closed',
    ...(why !== undefined && { why }),
    due: null,
  };
  return change(request, 'care-ended', at, { ...(why !== undefined && { rule: why.rule }) });
}

/** The step can't be taken now: when it is tried again. */
export const postponeCare = (care: Care, until: Date): CareChange => later({ ...care, due: iso(until) });

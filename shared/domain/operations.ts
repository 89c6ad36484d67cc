import type { Approver } from './approvers';
import { deadlineOf, isOpen, nextDue } from './join-request';
import type { Actor, Change, JoinRequest } from './join-request';

// What operations may do to a request besides cancelling it and trying it again: each a change of the row with its entry in the trail,
// which says who and why.

const DAY_MS = 86_400_000;
/** A stage may be kept open for so long from now on, in days: no request waits for ever. */
export const LONGEST_EXTENSION_DAYS = 90;
/** So many people may be named for a stage. */
export const MOST_NAMED = 20;

/** Who did it, and why. */
export interface Act {
  by: Actor;
  reason: string;
}

/** Why it can't be done, as a sentence for whoever wants it. */
export interface Impossible {
  kind: 'impossible';
  sentence: string;
}
export type ActResult = { kind: 'changed'; change: Change } | Impossible;

const impossible = (sentence: string): Impossible => ({ kind: 'impossible', sentence });
const iso = (at: Date): string => at.toISOString();

/**
 * Gives the present stage to other people: those who could decide before can no longer, and their votes count only where they are named
 * again. The stage begins anew, with its reminders and its deadline. The policy in the row stays as it was filed under; who was named
 * goes before it at this stage, and at no other.
 * @param people who may decide: looked up just now, without the requester
 */
export function reroute(
  request: JoinRequest,
  people: readonly Approver[],
  required: number,
  { by, reason }: Act,
  at: Date,
): ActResult {
  if (request.state !== 'pending')
    return impossible(`The request is ${request.state}: only one that waits for a decision can be re-routed.`);
  if (people.some(({ id }) => id === request.requester.id))
    return impossible('Nobody decides their own request: leave the requester out.');
  if (people.some(({ id }) => id === by.id))
    return impossible('Nobody gives a decision to themselves: let another operator do it, or name others.');
  if (people.length === 0 || people.length > MOST_NAMED)
    return impossible(`Name 1 to ${String(MOST_NAMED)} people who may decide.`);
  if (!Number.isInteger(required) || required < 1 || required > people.length)
    return impossible(`Of ${String(people.length)} named, 1 to ${String(people.length)} can be needed.`);
  const ids = people.map(({ id }) => id);
  const { index, round, votes } = request.stage;
  return {
    kind: 'changed',
    change: {
      request: {
        ...request,
        waitingFor: 'mail',
        due: iso(at),
        stage: {
          index,
          round: round + 1,
          openedAt: iso(at),
          reminded: 0,
          approvers: [...people],
          routedTo: { ids, required },
          votes: votes.filter(({ personId }) => ids.includes(personId)),
        },
      },
      entries: [{ event: 'rerouted', at: iso(at), by, data: { stage: index, people: ids, required, reason } }],
    },
  };
}

/** Moves the deadline of the present stage to later. Until the row says that it expired, that is in time. */
export function extendDeadline(request: JoinRequest, until: Date, { by, reason }: Act, at: Date): ActResult {
  if (request.state !== 'pending')
    return impossible(`The request is ${request.state}: only one that waits for a decision has a deadline.`);
  const before = deadlineOf(request);
  if (until <= before || until <= at) return impossible(`The deadline is ${iso(before)}: give a later time.`);
  if (until.getTime() > at.getTime() + LONGEST_EXTENSION_DAYS * DAY_MS)
    return impossible(`Give a time within the next ${String(LONGEST_EXTENSION_DAYS)} days.`);
  const extended: JoinRequest = { ...request, stage: { ...request.stage, extendedTo: iso(until) } };
  // what is due now, or waits for a service, keeps its time
  const isAsked = request.waitingFor === 'decision' && request.due !== null && new Date(request.due) > at;
  return {
    kind: 'changed',
    change: {
      request: isAsked ? { ...extended, due: iso(nextDue(extended, at)) } : extended,
      entries: [
        {
          event: 'deadline-extended',
          at: iso(at),
          by,
          data: { stage: request.stage.index, before: iso(before), until: iso(until), reason },
        },
      ],
    },
  };
}

/**
 * Lets a mail be sent once more: the step that composes it is due again. Somebody who could not be reached is tried again.
 * @param mail its kind, as its key begins, and whom it is to
 */
export function resend(
  request: JoinRequest,
  { kind, personId }: { kind: string; personId: string },
  { by, reason }: Act,
  at: Date,
): Change {
  return {
    request: dueAgain(request, kind, personId, at),
    entries: [{ event: 'mail-resent', at: iso(at), by, data: { kind, people: [personId], reason } }],
  };
}

function dueAgain(request: JoinRequest, kind: string, personId: string, at: Date): JoinRequest {
  if (kind === 'warn' && request.grant !== undefined) {
    const { warned = 0 } = request.grant;
    return { ...request, grant: { ...request.grant, warned: Math.max(0, warned - 1) } };
  }
  if (request.state !== 'pending') return { ...request, ...(!isOpen(request) && { told: false }), due: iso(at) };
  const { unreachable = [], ...stage } = request.stage;
  const left = unreachable.filter((id) => id !== personId);
  return {
    ...request,
    due: iso(at),
    stage: { ...stage, ...(left.length > 0 && { unreachable: left }) },
  };
}

/** Notes that the workflow is started anew: it was lost, and something is left to do. */
export function restart(request: JoinRequest, { by, reason }: Act, at: Date): ActResult {
  if (request.due === null)
    return impossible(
      request.state === 'failed'
        ? 'The application failed and waits for you: try it again, or cancel it.'
        : 'Nothing is left to do for this request.',
    );
  return { kind: 'changed', change: { request, entries: [{ event: 'restarted', at: iso(at), by, data: { reason } }] } };
}

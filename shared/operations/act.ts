import { eligibleApprovers } from '../domain/approvers';
import { cancel, retry } from '../domain/join-request';
import type { Actor, Change, JoinRequest } from '../domain/join-request';
import { extendDeadline, reroute, resend, restart } from '../domain/operations';
import type { ActResult, Impossible } from '../domain/operations';
import { onceMore } from '../join-requests/outbox';
import type { Dossier, Via } from '../records/join-requests';
import type { Mail } from '../records/mail-rows';
import { retryOnConflict } from '../records/tables';
import type { Services } from '../services';
import { resendable } from './resendable';

/** What operations do to a request. Who did it and why stands in its trail, written with the change or not at all. */
export type Action =
  | { action: 'cancel'; reason: string }
  | { action: 'retry'; reason?: string }
  /** @param people object ids or user principal names */
  | { action: 'reroute'; people: readonly string[]; required: number; reason: string }
  | { action: 'extend'; until: Date; reason: string }
  /** @param mail key of the mail in the request's outbox */
  | { action: 'resend'; mail: string; reason: string }
  /** @param runs whether the workflow runs, as the engine says */
  | { action: 'restart'; runs: boolean; reason: string };
export type ActionName = Action['action'];

export type ActOutcome =
  /** Written. `wakes`: what shall look at it. */
  | { kind: 'done'; request: JoinRequest; wakes: 'join' | 'grant' }
  | (Impossible & { request: JoinRequest })
  | { kind: 'unknown' };

/** Does it to the request as it stands at this moment; the loser of a race looks again. */
export async function act(
  services: Services,
  requestId: string,
  action: Action,
  by: { actor: Actor; via: Via },
  at: Date,
): Promise<ActOutcome> {
  const { requests } = services.records;
  return retryOnConflict(async (): Promise<ActOutcome> => {
    const dossier = await requests.dossier(requestId);
    if (dossier === undefined) return { kind: 'unknown' };
    const { stored } = dossier;
    const result = await changeOf(services, dossier, action, by.actor, at);
    if (result.kind === 'impossible') return { ...result, request: stored.request };
    const written = await requests.write(stored, result.change, {
      ...by.via,
      ...(result.mail !== undefined && { mails: [result.mail] }),
    });
    return {
      kind: 'done',
      request: written.request,
      wakes: result.mail?.key.startsWith('warn_') === true ? 'grant' : 'join',
    };
  });
}

type Wanted = { kind: 'changed'; change: Change; mail?: Mail } | Impossible;
const impossible = (sentence: string): Impossible => ({ kind: 'impossible', sentence });

async function changeOf(services: Services, dossier: Dossier, action: Action, actor: Actor, at: Date): Promise<Wanted> {
  const { request } = dossier.stored;
  switch (action.action) {
    case 'cancel':
      return request.state === 'pending' || request.state === 'approved' || request.state === 'failed'
        ? {
            kind: 'changed',
            change: cancel(request, { rule: 'operations', sentence: action.reason }, at, actor),
          }
        : impossible(`The request is ${request.state}: it can’t be cancelled any more.`);
    case 'retry': {
      const change = retry(request, actor, at, action.reason);
      return change === undefined
        ? impossible(`The request is ${request.state}: there is nothing to try again.`)
        : { kind: 'changed', change };
    }
    case 'reroute':
      return rerouted(services, request, action, { by: actor, reason: action.reason }, at);
    case 'extend':
      return extendDeadline(request, action.until, { by: actor, reason: action.reason }, at);
    case 'resend': {
      const mail = resendable(dossier, at).find(({ key }) => key === action.mail);
      if (mail === undefined)
        return impossible('There is no mail of this key that says what is still so. Send one that is offered.');
      const kind = mail.key.split('_')[0] ?? '';
      return {
        kind: 'changed',
        change: resend(request, { kind, personId: mail.to.id }, { by: actor, reason: action.reason }, at),
        mail: onceMore(request.id, mail),
      };
    }
    case 'restart':
      return action.runs
        ? impossible('The workflow runs: it was not lost.')
        : restart(request, { by: actor, reason: action.reason }, at);
  }
}

/** The people are looked up now: whoever can't decide is named, and nothing is changed. */
async function rerouted(
  { directory }: Services,
  request: JoinRequest,
  { people, required }: Action & { action: 'reroute' },
  reason: { by: Actor; reason: string },
  at: Date,
): Promise<ActResult> {
  const found = await Promise.all(people.map(async (name) => ({ name, person: await directory.person(name) })));
  const able = eligibleApprovers(
    found.flatMap(({ person }) => (person === undefined ? [] : [person])),
    request.requester.id,
  );
  const ids = new Set(able.map(({ id }) => id));
  const unable = found.filter(({ person }) => person === undefined || !ids.has(person.id)).map(({ name }) => name);
  if (unable.length > 0)
    return impossible(
      `Can’t decide this: ${unable.join(', ')}. Name people who have an enabled account of this tenant and a mailbox, are no guests, and are not the requester.`,
    );
  return reroute(request, able, required, reason, at);
}

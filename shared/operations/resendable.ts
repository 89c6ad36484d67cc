import { isOpen } from '../domain/join-request';
import type { Dossier } from '../records/join-requests';
import type { Mail } from '../records/mail-rows';

/**
 * The mails of a request that can be sent once more: those that say what is still so, and that its present step composes. What waits in
 * the outbox is sent anyway; what a later step overtook is not sent again.
 */
export function resendable({ stored: { request }, mails }: Dossier, at: Date): Mail[] {
  const { state, stage, requester, grant, ending } = request;
  const keys = new Set<string>();
  if (state === 'pending') {
    const voted = new Set(stage.votes.map(({ personId }) => personId));
    for (const { id } of stage.approvers)
      if (!voted.has(id)) keys.add(`ask_${String(stage.index)}_${String(stage.round)}_${id}`);
    if (stage.index === 0 && stage.round === 0) keys.add(`filed_${requester.id}`);
  } else if (state === 'failed') {
    keys.add(`delayed_${requester.id}`);
  } else if (!isOpen(request)) {
    keys.add(`${state === 'ended' ? 'ended' : 'outcome'}_${requester.id}`);
    for (const key of mails.keys()) if (key.startsWith('closed_')) keys.add(key);
  }
  const isLive =
    state === 'granted' && ending === undefined && grant?.until !== undefined && new Date(grant.until) > at;
  if (isLive && grant.lapsing !== true && grant.warned !== undefined)
    keys.add(`warn_${String(grant.warned)}_${requester.id}`);
  return [...mails.values()].filter(({ key, status }) => keys.has(key) && status !== 'queued');
}

import { warningLost } from '../domain/group-life';
import type { Via } from '../records/dossiers';
import { undeliveredMail } from '../records/mail-rows';
import { retryOnConflict } from '../records/tables';
import type { Services } from '../services';
import { event } from '../telemetry';

/** `warn_{term}_{warning}_{person}` */
const WARNING = /^warn_(\d+)_(\d+)_/;

const warningIn = (key: string): number => Number(WARNING.exec(key)?.[2] ?? 0);

/**
 * A mail about the life of a group did not arrive: noted once. Where it was a warning, and no other one of the same warning arrived, the
 * warning is due again: those at the fallback address are warned, or operations told.
 * @returns whether it was a mail about a life
 */
export function lostLifeMail(
  { records: { lives } }: Services,
  { requestId: groupId, key }: { requestId: string; key: string },
  why: string,
  via: Via,
  at: Date,
): Promise<boolean> {
  return retryOnConflict(async () => {
    const mail = (await lives.mails(groupId, [key])).get(key);
    const stored = await lives.read(groupId);
    if (mail === undefined || stored === undefined) return false;
    if (mail.status !== 'undelivered') {
      await lives.saveMails(groupId, [undeliveredMail(mail, why)]);
      event('mail', { result: 'bounced', kind: key.split('_')[0] ?? '' });
    }
    const term = WARNING.exec(key)?.[1];
    if (term === undefined || Number(term) !== stored.life.term) return true;
    // read behind the note, so that of two reports at once the later one sees both
    const mails = await lives.warnings(groupId, stored.life.term);
    const arrivedOrNewer = mails.some((other) =>
      warningIn(other.key) === warningIn(key) ? other.status === 'accepted' : warningIn(other.key) > warningIn(key),
    );
    if (arrivedOrNewer) return true;
    const step = warningLost(stored.life, at);
    if (step !== undefined) await lives.write(stored, step, via);
    return true;
  });
}

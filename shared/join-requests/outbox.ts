import { createHash, randomBytes } from 'node:crypto';

import { MailUnavailable } from '../mail/mailer';
import { references } from '../mail/messages';
import type { Message } from '../mail/messages';
import type { Mail } from '../records/join-requests';
import type { Services } from '../services';

const PARALLEL = 4;

/** The same request and key always give the same operation: a UUID of version 8 (RFC 9562) from their hash. */
function operationId(requestId: string, key: string): string {
  const hex = createHash('sha256').update(`${requestId}/${key}`).digest('hex');
  const variant = ((parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A mail to be put into the outbox. */
export function mailOf(requestId: string, key: string, to: Mail['to'], { subject, html, text }: Message): Mail {
  return { key, operationId: operationId(requestId, key), to, content: { subject, html, text }, status: 'queued' };
}

/** 128 random bits: the link names a request and a person to us, and nothing to anybody else. */
export const newLinkId = (): string => randomBytes(16).toString('base64url');

export interface Sent {
  /** Every mail that was tried, as it now stands. */
  mails: Mail[];
  /** Present where the service can't take more now. */
  unavailable?: MailUnavailable;
}

/**
 * Sends what stands queued in the outbox. `fresh` names the mails that this very step put there: for any other one the service is
 * asked first whether an earlier attempt handed it over. Stops at the first sign that the service can't take more.
 */
export async function sendQueued(
  { config, mailer }: Services,
  requestId: string,
  mails: readonly Mail[],
  fresh: ReadonlySet<string>,
): Promise<Sent> {
  const waiting = mails.filter(({ status }) => status === 'queued');
  const settled: Mail[] = [];
  let unavailable: MailUnavailable | undefined;
  const domain = config.MAIL_SENDER.slice(config.MAIL_SENDER.indexOf('@') + 1);

  const send = async (mail: Mail): Promise<void> => {
    if (mail.content === undefined) return;
    try {
      const { key, operationId: id, to, content } = mail;
      const result = await mailer.send(
        { operationId: id, to, ...content, references: references(requestId, domain) },
        { asked: !fresh.has(key) },
      );
      const { content: _sent, ...rest } = mail;
      settled.push(
        result.kind === 'accepted'
          ? { ...rest, status: 'accepted' }
          : { ...rest, status: 'refused', refusal: result.why },
      );
    } catch (error) {
      if (!(error instanceof MailUnavailable)) throw error;
      unavailable = error;
    }
  };

  const queue = [...waiting];
  const worker = async (): Promise<void> => {
    for (let mail = queue.shift(); mail !== undefined && unavailable === undefined; mail = queue.shift())
      await send(mail);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return { mails: settled, ...(unavailable !== undefined && { unavailable }) };
}

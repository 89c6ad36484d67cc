import { EmailClient } from '@azure/communication-email';
import type { EmailMessage } from '@azure/communication-email';
import type { RestError } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';

import { requestTimeout } from '../request-timeout';
import { MailUnavailable } from './mailer';
import type { Mailer, OutgoingMail } from './mailer';
import { nameOf } from './text';

const API_VERSION = '2025-09-01';

const isRestError = (error: unknown): error is RestError => error instanceof Error && error.name === 'RestError';

/** The service took the mail and gave it up: the client tells so by a plain error. Anything else plain is a time-out, or no token. */
const hasFailed = (error: unknown): error is Error =>
  !isRestError(error) && error instanceof Error && error.message.startsWith('The long-running operation has failed');

function unavailable(error: unknown): MailUnavailable {
  if (!isRestError(error)) return new MailUnavailable(`The mail service can't be reached: ${String(error)}`);
  const seconds = Number(error.response?.headers.get('retry-after') ?? '');
  return new MailUnavailable(
    `The mail service answered ${String(error.statusCode ?? error.code ?? 'nothing')}`,
    Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined,
  );
}

/**
 * Azure Communication Services Email. Its retries are off: a rejected retry counts against the quota, and the workflow repeats the step.
 * An operation that the service reports as failed will not be delivered; bounces come later, as delivery reports.
 */
export function acsMailer({
  endpoint,
  sender,
  credential,
  timeoutMs,
}: {
  endpoint: string;
  sender: string;
  credential: TokenCredential;
  timeoutMs: number;
}): Mailer {
  const client = new EmailClient(endpoint, credential, {
    retryOptions: { maxRetries: 0 },
    additionalPolicies: requestTimeout(timeoutMs),
  });

  /** What the client would have kept of a send that it made itself: enough for it to ask for the operation. */
  const operation = (operationId: string): string =>
    JSON.stringify({
      state: {
        status: 'running',
        config: {
          operationLocation: `${endpoint}/emails/operations/${operationId}?api-version=${API_VERSION}`,
          metadata: { mode: 'OperationLocation' },
        },
      },
    });

  const messageOf = (mail: OutgoingMail): EmailMessage => ({
    senderAddress: sender,
    content: { subject: mail.subject, html: mail.html, plainText: mail.text },
    recipients: { to: [{ address: mail.to.address, displayName: nameOf(mail.to.name) }] },
    headers: { References: mail.references, 'Auto-Submitted': 'auto-generated' },
    // tracking would rewrite the links
    disableUserEngagementTracking: true,
  });

  /** What became of an earlier attempt; `undefined` where the service knows of none. */
  const ask = async (mail: OutgoingMail): Promise<Awaited<ReturnType<Mailer['send']>> | undefined> => {
    try {
      await client.beginSend(messageOf(mail), { resumeFrom: operation(mail.operationId) });
      return { kind: 'accepted' };
    } catch (error) {
      if (hasFailed(error)) return { kind: 'refused', why: error.message };
      if (isRestError(error) && error.statusCode === 404) return undefined;
      throw unavailable(error);
    }
  };

  return {
    has: async (mail) => (await ask(mail))?.kind === 'accepted',
    send: async (mail, { asked }) => {
      const known = asked ? await ask(mail) : undefined;
      if (known !== undefined) return known;
      try {
        await client.beginSend(messageOf(mail), { operationId: mail.operationId });
        return { kind: 'accepted' };
      } catch (error) {
        // 400: the service does not take this mail, now or later
        if (isRestError(error) && error.statusCode === 400) return { kind: 'refused', why: error.message };
        if (hasFailed(error)) return { kind: 'refused', why: error.message };
        // another step handed it over in this moment, with what was true then
        const stands = isRestError(error) && error.statusCode === 409 ? await ask(mail) : undefined;
        if (stands !== undefined) return stands;
        throw unavailable(error);
      }
    },
  };
}

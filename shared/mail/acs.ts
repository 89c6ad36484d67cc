import { EmailClient } from '@azure/communication-email';
import type { RestError } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';

import { requestTimeout } from '../request-timeout';
import { MailUnavailable } from './mailer';
import type { Mailer } from './mailer';

const API_VERSION = '2025-09-01';

const isRestError = (error: unknown): error is RestError => error instanceof Error && error.name === 'RestError';

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
}: {
  endpoint: string;
  sender: string;
  credential: TokenCredential;
}): Mailer {
  const client = new EmailClient(endpoint, credential, {
    retryOptions: { maxRetries: 0 },
    additionalPolicies: requestTimeout,
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

  return {
    send: async (mail, { asked }) => {
      const message = {
        senderAddress: sender,
        content: { subject: mail.subject, html: mail.html, plainText: mail.text },
        recipients: { to: [{ address: mail.to.address, displayName: mail.to.name }] },
        headers: { References: mail.references, 'Auto-Submitted': 'auto-generated' },
        // tracking would rewrite the links
        disableUserEngagementTracking: true,
      };
      if (asked) {
        try {
          await client.beginSend(message, { resumeFrom: operation(mail.operationId) });
          return { kind: 'accepted' };
        } catch (error) {
          if (!isRestError(error)) return { kind: 'refused', why: String(error) };
          if (error.statusCode !== 404) throw unavailable(error);
        }
      }
      try {
        await client.beginSend(message, { operationId: mail.operationId });
        return { kind: 'accepted' };
      } catch (error) {
        // 400: the service does not take this mail, now or later. A failed operation comes as a plain error.
        if (isRestError(error) && error.statusCode === 400) return { kind: 'refused', why: error.message };
        if (
          !isRestError(error) &&
          error instanceof Error &&
          error.message.startsWith('The long-running operation has failed')
        )
          return { kind: 'refused', why: error.message };
        throw unavailable(error);
      }
    },
  };
}

import { z } from 'zod';
import { ServiceError, invalidProperty } from './errors';

const MAX_RECIPIENTS = 50;
const NO_LINE_BREAK = /^[^\r\n]*$/;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const ADDRESS = new RegExp(`^[^\\s@<>(),;:\\\\"[\\].]+(?:\\.[^\\s@<>(),;:\\\\"[\\].]+)*@${LABEL}(?:\\.${LABEL})+$`);
const INTERNET_MESSAGE_ID = /^<[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+>$/;

/** Made by the service from other fields, or refused by it: sending them is answered 400, as ACS does. */
const RESERVED_HEADERS = new Set(
  'from sender to cc bcc reply-to subject date mime-version content-type content-transfer-encoding received return-path dkim-signature list-unsubscribe list-unsubscribe-post'.split(
    ' ',
  ),
);

const isAddress = (text: string): boolean => text.length <= 254 && ADDRESS.test(text);

const singleLine = z.string().regex(NO_LINE_BREAK);
const mailboxSchema = z.object({
  address: z.string(),
  displayName: singleLine.nullish().transform((name) => name ?? ''),
});
const mailboxes = z
  .array(mailboxSchema)
  .nullish()
  .transform((list) => list ?? []);

const messageSchema = z.object({
  headers: z
    .record(z.string().regex(HEADER_NAME), singleLine)
    .nullish()
    .transform((headers) => headers ?? {}),
  senderAddress: z.string().refine(isAddress),
  content: z.object({
    subject: singleLine.refine((subject) => subject.trim() !== ''),
    plainText: z
      .string()
      .nullish()
      .transform((text) => text ?? ''),
    html: z
      .string()
      .nullish()
      .transform((text) => text ?? ''),
  }),
  recipients: z.object({ to: mailboxes, cc: mailboxes, bcc: mailboxes }),
  attachments: z
    .array(
      z.object({
        name: singleLine.min(1),
        contentType: singleLine.min(1),
        contentInBase64: z.base64(),
        contentId: singleLine.nullish(),
      }),
    )
    .nullish()
    .transform((list) => list ?? []),
  replyTo: mailboxes,
  userEngagementTrackingDisabled: z.boolean().nullish(),
});

export type Mailbox = z.output<typeof mailboxSchema>;
export type EmailMessage = z.output<typeof messageSchema>;
export type RecipientKind = 'to' | 'cc' | 'bcc';
export type Recipient = Mailbox & { kind: RecipientKind };

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ServiceError(400, 'BadRequest', 'The request body is not valid JSON.');
  }
}

/** Everyone a message goes to, each address once. */
export function recipientsOf(message: EmailMessage): Recipient[] {
  const all = (['to', 'cc', 'bcc'] as const).flatMap((kind) =>
    message.recipients[kind].map((mailbox): Recipient => ({ ...mailbox, kind })),
  );
  const seen = new Set<string>();
  return all.filter(({ address }) => {
    const key = address.toLowerCase();
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}

function checkRecipients(message: EmailMessage): void {
  const { to, cc, bcc } = message.recipients;
  const count = to.length + cc.length + bcc.length;
  if (count === 0 || count > MAX_RECIPIENTS) throw invalidProperty('recipients');
  const wrong = [...to, ...cc, ...bcc, ...message.replyTo].find(({ address }) => !isAddress(address));
  if (wrong) throw new ServiceError(400, 'BadRequest', 'Invalid format for email address');
}

function checkHeaders(message: EmailMessage): void {
  const names = Object.keys(message.headers).map((name) => name.toLowerCase());
  if (names.some((name) => RESERVED_HEADERS.has(name))) throw invalidProperty('headers');
  if (new Set(names).size !== names.length) throw invalidProperty('headers');
}

/**
 * Reads and checks the body of `POST /emails:send`.
 * @throws ServiceError as ACS answers: 400 `BadRequest` for what the body lacks, 404 `DomainNotLinked` for a foreign sender.
 */
export function readMessage(body: string, senderDomains: readonly string[]): EmailMessage {
  const parsed = messageSchema.safeParse(readJson(body));
  if (!parsed.success) throw invalidProperty(propertyOf(parsed.error));
  const message = parsed.data;
  checkRecipients(message);
  if (message.content.plainText === '' && message.content.html === '') throw invalidProperty('content');
  checkHeaders(message);
  if (!senderDomains.some((domain) => domain.toLowerCase() === domainOf(message.senderAddress))) {
    throw new ServiceError(404, 'DomainNotLinked', 'The specified sender domain has not been linked.');
  }
  return message;
}

function propertyOf(error: z.ZodError): string {
  const path = error.issues[0]?.path ?? [];
  // The service names the dictionary of headers, not the header.
  return path[0] === 'headers' ? 'headers' : path.map(String).join('.');
}

const named = ({ address, displayName }: Mailbox): string => {
  if (displayName === '') return address;
  return `"${displayName.replace(/["\\]/g, '\\$&')}" <${address}>`;
};

/** The sender's own `Message-ID` where it is well-formed; the service makes one where not. */
export function internetMessageId(message: EmailMessage, made: string): string {
  const own = Object.entries(message.headers).find(([name]) => name.toLowerCase() === 'message-id')?.[1];
  return own !== undefined && INTERNET_MESSAGE_ID.test(own) ? own : `<${made}@${domainOf(message.senderAddress)}>`;
}

/** The header lines that a recipient sees, decoded; no Bcc. */
export function headersOf(message: EmailMessage, accepted: Date, messageId: string): Record<string, string> {
  const list = (boxes: Mailbox[]): string => boxes.map(named).join(', ');
  const { to, cc } = message.recipients;
  const custom = Object.entries(message.headers).filter(([name]) => name.toLowerCase() !== 'message-id');
  return {
    From: message.senderAddress,
    ...(to.length > 0 && { To: list(to) }),
    ...(cc.length > 0 && { Cc: list(cc) }),
    ...(message.replyTo.length > 0 && { 'Reply-To': list(message.replyTo) }),
    Subject: message.content.subject,
    Date: accepted.toUTCString().replace('GMT', '+0000'),
    'Message-ID': messageId,
    ...Object.fromEntries(custom),
  };
}

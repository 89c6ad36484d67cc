import type { NewRow, Row } from './tables';

/** A mail that shall be sent: written before it is, so that a repeat sends the same. Its content goes once it was sent. */
export interface Mail {
  /** What it says and to whom: one mail per request and key, ever. */
  key: string;
  operationId: string;
  to: { id: string; name: string; address: string };
  content?: { subject: string; html: string; text: string };
  /** `undelivered`: it was accepted, and a delivery report says that it did not arrive. */
  status: 'queued' | 'accepted' | 'refused' | 'undelivered';
  /** Why the mail service refused it, or what the delivery report says. */
  refusal?: string;
  /** How often operations had it sent again: each copy is an operation of its own. */
  copy?: number;
}

/** The mail as it stands once a delivery report says that it did not arrive. */
export function undeliveredMail({ content: _content, ...mail }: Mail, why: string): Mail {
  return { ...mail, status: 'undelivered', refusal: why };
}

export const mailRow = (partitionKey: string, mail: Mail): NewRow => ({
  partitionKey,
  rowKey: `out_${mail.key}`,
  operationId: mail.operationId,
  to: JSON.stringify(mail.to),
  status: mail.status,
  ...(mail.refusal !== undefined && { refusal: mail.refusal }),
  ...(mail.copy !== undefined && { copy: mail.copy }),
  ...(mail.status === 'queued' &&
    mail.content !== undefined && {
      subject: mail.content.subject,
      ...inParts('html', mail.content.html),
      ...inParts('text', mail.content.text),
    }),
});

/** A property of a row holds at most 32 K characters (64 KiB of UTF-16). */
const PART = 30_000;

function inParts(name: string, text: string): Record<string, string> {
  const parts: Record<string, string> = {};
  for (let from = 0; from === 0 || from < text.length; from += PART)
    parts[`${name}${String(from / PART)}`] = text.slice(from, from + PART);
  return parts;
}

function joined(row: Row, name: string): string {
  let text = '';
  for (let n = 0; ; n += 1) {
    const part = row[`${name}${String(n)}`];
    if (typeof part !== 'string') return text;
    text += part;
  }
}

export function parseMail(row: Row): Mail {
  const { subject, refusal, copy } = row;
  return {
    key: (row.rowKey ?? '').slice(4),
    operationId: String(row['operationId']),
    to: JSON.parse(String(row['to'])) as Mail['to'],
    status: row['status'] as Mail['status'],
    ...(typeof refusal === 'string' && { refusal }),
    ...(typeof copy === 'number' && { copy }),
    ...(typeof subject === 'string' && { content: { subject, html: joined(row, 'html'), text: joined(row, 'text') } }),
  };
}

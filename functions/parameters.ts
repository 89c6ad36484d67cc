import { z } from 'zod';

import { parseDuration } from '../shared/domain/duration';
import { COMMENT_LENGTH } from '../shared/web/pages/decision-form';
import { problems } from '../shared/web/problem';

const guid = z
  .guid('Give an object id: a GUID such as 4f1c3a52-9d0e-4c57-8f0a-2b7d9c1e6a30.')
  .transform((id) => id.toLowerCase());
export const groupId = guid;
export const groupParams = z.object({ groupId });
export const requestParams = z.object({
  requestId: z.string().regex(/^[0-9a-f]{32}$/, 'Give the id of a join request: 32 hexadecimal digits.'),
});

/** The id of a group change. */
export const changeParams = z.object({
  changeId: z.string().regex(/^[0-9a-f]{32}$/, 'Give the id of a group change: 32 hexadecimal digits.'),
});

const UPN = /^[^\s/\\?%*:|"<>\ud800-\udfff]{1,64}@[A-Za-z0-9.-]{1,48}$/;
export const userPrincipalName = z.string().regex(UPN, 'Give a user principal name such as rita@contoso.example.');
/** An object id or a user principal name. */
export const personName = z.union([guid, userPrincipalName], {
  error: 'Give the object id of a person, or a user principal name such as rita@contoso.example.',
});

const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;
const MARKUP = /<[/!?]?[a-z][^<>]*>/i;
/** Line ends of every system, as one. */
const LINE_ENDS = /\r\n|[\r\u0085\u2028\u2029]/g;

/** Text that people read: no control characters, no markup, no half characters. Its length is that without the system's line ends. */
export const plainText = (most: number) =>
  z
    .string()
    .overwrite((text) => text.replace(LINE_ENDS, '\n'))
    .max(most, { error: `Use at most ${String(most)} characters.`, abort: true })
    .refine((text) => !CONTROL.test(text), 'Remove the control characters.')
    .refine((text) => text.isWellFormed(), 'Remove the half of a character (an unpaired surrogate).')
    .refine((text) => !MARKUP.test(text), 'Write plain text: HTML tags are not accepted.');

/** Why something is done to somebody: they are told. */
/** What every body holds that decides; `reader` is sent the comment. */
export const decisionBodyFields = (reader: string) => ({
  decision: z.enum(['approve', 'deny'], { error: 'Say approve or deny.' }),
  comment: plainText(COMMENT_LENGTH)
    .transform((text) => text.trim())
    .optional()
    .describe(`${reader} is sent it.`),
});

export const reasonText = plainText(500).refine((text) => text.trim() !== '', 'Say why.');

/** A length of time, longer than none. */
export const isoDuration = z
  .string()
  .refine(
    (text) => (parseDuration(text) ?? 0) > 0,
    'Give an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as P30D.',
  );

/** The same as the field of a form, which sends an empty text where none was chosen. */
export const durationField = z
  .union([z.literal(''), isoDuration])
  .default('')
  .transform((text) => (text === '' ? undefined : text));

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** The caller's Idempotency-Key. @throws {Problem} 400 where it is none */
export function idempotencyKey(headers: { get(name: string): string | null }): string | undefined {
  const key = headers.get('idempotency-key');
  if (key === null) return undefined;
  if (!IDEMPOTENCY_KEY.test(key))
    throw problems.badRequest([{ pointer: 'Idempotency-Key', detail: 'Use 1 to 255 visible ASCII characters.' }]);
  return key;
}

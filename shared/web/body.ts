import type { HttpRequest } from '@azure/functions';
import type { z } from 'zod';

import { fieldErrors, Problem, problems } from './problem';
import type { FieldError } from './problem';

/** Largest body that a door reads, in bytes. */
export const BODY_LIMIT = 65_536;

const tooLarge = (): Problem =>
  new Problem(413, 'body-too-large', 'The body is too large', `Send at most ${String(BODY_LIMIT)} bytes.`);
const wrong = (detail: string): Problem => problems.badRequest([{ pointer: '', detail }]);

async function readText(request: HttpRequest, mediaType: string): Promise<string> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== mediaType) {
    throw new Problem(
      415,
      'unsupported-media-type',
      'The content type is not supported',
      `Send the body as '${mediaType}'.`,
      { headers: { accept: mediaType } },
    );
  }
  if (Number(request.headers.get('content-length') ?? 0) > BODY_LIMIT) throw tooLarge();
  const bytes = await bytesOf(request);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw wrong('The body is not valid UTF-8.');
  }
}

/** The body, of which no more is read than is taken: one that comes in chunks does not say its length before. */
async function bytesOf({ body }: Pick<HttpRequest, 'body'>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    // leaving the loop lets go of the rest
    if (length > BODY_LIMIT) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * The JSON body and the text it was read from.
 * @param more what else is wrong with a body that the schema does not take: told with the rest
 * @throws {Problem} 400, 413 or 415, with every field error at once
 */
export async function readJson<T>(
  request: HttpRequest,
  schema: z.ZodType<T>,
  more: (json: unknown) => Promise<FieldError[]> = () => Promise.resolve([]),
): Promise<{ value: T; text: string }> {
  const text = await readText(request, 'application/json');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw wrong(text === '' ? 'The body is empty. Send a JSON object.' : 'The body is not valid JSON. Was it cut off?');
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw problems.badRequest([...fieldErrors(parsed.error), ...(await more(json))]);
  return { value: parsed.data, text };
}

/** The fields of a posted form as they came, to be shown again where they are not right. @throws {Problem} 400, 413 or 415. */
export async function readFields(request: HttpRequest): Promise<Record<string, string>> {
  const text = await readText(request, 'application/x-www-form-urlencoded');
  return Object.fromEntries(new URLSearchParams(text));
}

/** The fields of a form by their rules. @throws {Problem} 400, with every field error at once. */
export function parseFields<T>(fields: Record<string, string>, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(fields);
  if (!parsed.success) throw problems.badRequest(fieldErrors(parsed.error));
  return parsed.data;
}

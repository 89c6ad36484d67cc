import type { HttpResponseInit } from '@azure/functions';
import type { z } from 'zod';

/** One wrong field: a JSON pointer into the body (or the name of a parameter) and what to do about it. */
export interface FieldError {
  pointer: string;
  detail: string;
}

export type ProblemType =
  | 'bad-request'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'filing-in-progress'
  | 'gone'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'idempotency-key-reused'
  | 'precondition-failed'
  | 'precondition-required'
  | 'too-many-requests'
  | 'unavailable'
  | 'internal'
  | (string & {});

interface ProblemOptions {
  errors?: readonly FieldError[];
  headers?: Record<string, string>;
  /** More members of the problem document. */
  with?: Record<string, unknown>;
}

/** An answer that is not the one asked for, as RFC 9457 problem details. Thrown or returned by handlers. */
export class Problem extends Error {
  override name = 'Problem';
  constructor(
    readonly status: number,
    readonly type: ProblemType,
    readonly title: string,
    readonly detail: string,
    readonly options: ProblemOptions = {},
  ) {
    super(title);
  }

  /** What went wrong, for somebody who filled in a form. */
  inWords(): string {
    const { errors } = this.options;
    return errors === undefined ? this.detail : errors.map(({ detail }) => detail).join(' ');
  }

  /** The response; `correlationId` finds the request in the logs. */
  response(base: string, correlationId: string): HttpResponseInit {
    const { errors, headers, with: more } = this.options;
    return {
      status: this.status,
      headers: { ...headers, 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
      body: JSON.stringify({
        type: `${base}/problems/${this.type}`,
        title: this.title,
        status: this.status,
        detail: this.detail,
        ...(errors && { errors }),
        ...more,
        correlationId,
      }),
    };
  }
}

const pointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** All issues of a zod error, one entry a field. */
export function fieldErrors(error: z.ZodError): FieldError[] {
  const all = allErrors(error);
  if (all.length <= MOST_ERRORS) return all;
  return [
    ...all.slice(0, MOST_ERRORS),
    { pointer: '', detail: `And ${String(all.length - MOST_ERRORS)} more errors.` },
  ];
}

/** So many errors are told one by one: an answer shall not be many times as long as what it answers. */
const MOST_ERRORS = 50;

function allErrors(error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue): FieldError[] => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        pointer: pointer([...issue.path, key]),
        detail: 'There is no such field. Remove it.',
      }));
    return [{ pointer: pointer(issue.path), detail: sentenceOf(issue) }];
  });
}

const KINDS: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
};

/** The library's own words for a wrong type, as a sentence that says what to do; every rule of ours has its sentence. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input'))
    return `Give ${KINDS[issue.expected] ?? `a value of type ${issue.expected}`} here.`;
  if (issue.code === 'too_small' && issue.message.startsWith('Too small'))
    return `Give ${issue.origin === 'string' ? `at least ${String(issue.minimum)} characters` : issue.origin === 'array' ? `at least ${String(issue.minimum)}` : `${String(issue.minimum)} or more`}.`;
  if (issue.code === 'too_big' && issue.message.startsWith('Too big'))
    return `Give ${issue.origin === 'string' ? `at most ${String(issue.maximum)} characters` : issue.origin === 'array' ? `at most ${String(issue.maximum)}` : `${String(issue.maximum)} or less`}.`;
  return issue.message;
}

export const problems = {
  badRequest: (errors: readonly FieldError[]): Problem =>
    new Problem(
      400,
      'bad-request',
      'The request has errors',
      errors.map(({ pointer: where, detail }) => (where === '' ? detail : `${where}: ${detail}`)).join(' '),
      { errors },
    ),
  unauthenticated: (why: string): Problem =>
    new Problem(
      401,
      'unauthenticated',
      'Sign-in is needed',
      `Send a valid Microsoft Entra access token for this API as 'Authorization: Bearer …'. (${why})`,
      {
        headers: { 'www-authenticate': 'Bearer' },
      },
    ),
  forbidden: (detail: string): Problem => new Problem(403, 'forbidden', 'Not allowed', detail),
  notFound: (detail = 'There is nothing here that you may see.'): Problem =>
    new Problem(404, 'not-found', 'Not found', detail),
  conflict: (title: string, state: string): Problem =>
    new Problem(409, 'conflict', title, `The request is ${state}.`, { with: { state } }),
  alreadyDecided: (title: string, detail: string, state: string): Problem =>
    new Problem(409, 'already-decided', title, `Your decision was not recorded: ${detail}`, { with: { state } }),
  notYours: (about: string, state?: string): Problem =>
    new Problem(
      403,
      'not-yours',
      'This is not yours to decide',
      `Only those who may decide at this moment can, and nobody decides ${about}.`,
      state === undefined ? {} : { with: { state } },
    ),
  tooMany: (title: string, waitMs: number): Problem => {
    const seconds = Math.ceil(waitMs / 1_000);
    return new Problem(429, 'too-many-requests', title, `Try again in ${String(seconds)} seconds.`, {
      headers: { 'retry-after': String(seconds) },
    });
  },
  unavailable: (detail: string, seconds = 5): Problem =>
    new Problem(503, 'unavailable', 'Not available now', detail, { headers: { 'retry-after': String(seconds) } }),
} as const;

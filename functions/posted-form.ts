import type { HttpResponseInit } from '@azure/functions';
import type { z } from 'zod';

import { parseFields, readFields } from '../shared/web/body';
import { isOurForm } from '../shared/web/form-token';
import { Problem } from '../shared/web/problem';
import type { Visit } from './door';

type Fields = Readonly<Record<string, string>>;

/** What a browser posted, and how the page is shown again with what is wrong with it. */
export interface Posted<Form> {
  form: Form;
  again: (problem: string, status: number) => Promise<HttpResponseInit>;
}

/** @param once what to do once more: `confirm`, `try` */
export const notFromHere = (once: 'confirm' | 'try'): string =>
  `The form was not sent from this page, or the page was open for too long. Please ${once} once more.`;

/**
 * Reads what was posted from a form of ours; where that is not right, the page that `show` makes of it: what was typed is shown again with
 * whatever is wrong with it.
 */
export async function postedForm<Form extends { token: string }>(
  { request, services }: Visit<unknown>,
  schema: z.ZodType<Form>,
  once: 'confirm' | 'try',
  show: (problem: string, status: number, typed: Fields) => Promise<HttpResponseInit>,
): Promise<Posted<Form> | HttpResponseInit> {
  let typed: Fields = {};
  const again: Posted<Form>['again'] = (problem, status) => show(problem, status, typed);
  let form: Form;
  try {
    const fields = await readFields(request);
    typed = fields;
    form = parseFields(fields, schema);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return again(error.inWords(), error.status);
  }
  return isOurForm(request.headers, form.token, services.config.PUBLIC_BASE_URL)
    ? { form, again }
    : again(notFromHere(once), 403);
}

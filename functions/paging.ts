import type { HttpRequest } from '@azure/functions';
import type { z } from 'zod';

import { NEVER_DUE } from '../shared/records/open-rows';
import type { OpenKind } from '../shared/records/open-rows';
import type { Services } from '../shared/services';
import { fieldErrors, problems } from '../shared/web/problem';

/** The query by its rules. @throws {Problem} 400, with every field error at once */
export function queryOf<T>({ query: given }: Pick<HttpRequest, 'query'>, schema: z.ZodType<T>): T {
  const query = schema.safeParse(Object.fromEntries(given));
  if (!query.success) throw problems.badRequest(fieldErrors(query.error));
  return query.data;
}

/** The link to the rest of a list, where there is more of it. @param next where it goes on, as `after` */
export function nextOf(
  { config }: Services,
  route: string,
  query: Readonly<Record<string, string | number | undefined>>,
  next: string | undefined,
): { nextLink?: string } {
  if (next === undefined) return {};
  const given = Object.entries({ ...query, after: undefined }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  const text = new URLSearchParams([...given, ['after', next]]);
  return { nextLink: `${config.PUBLIC_BASE_URL}/api/${route}?${String(text)}` };
}

/**
 * A page of what the open rows of this kind point to, in the order of due times.
 * @param read what a row points to; `undefined` where it is gone
 */
export async function openOnPage<Shown extends { due: string | null }>(
  { records: { open } }: Services,
  kind: OpenKind,
  { pageSize, after }: { pageSize: number; after: string },
  read: (id: string) => Promise<Shown | undefined>,
): Promise<{ found: Shown[]; next?: string }> {
  const { rows, next } = await open.page(pageSize, after);
  const found = await Promise.all(
    rows
      .filter((row) => row.kind === kind)
      .map(async ({ requestId, due }) => {
        const shown = await read(requestId);
        // a row that points to an older state says nothing
        return shown !== undefined && (shown.due ?? NEVER_DUE) === due ? [shown] : [];
      }),
  );
  return { found: found.flat(), ...(next !== undefined && { next }) };
}

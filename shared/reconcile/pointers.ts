import type { Dossiers, StoredOf } from '../records/dossiers';
import type { OpenRow } from '../records/open-rows';
import type { Services } from '../services';
import type { Page } from './page';

/**
 * Puts back the open rows that are missing; the sweeper does the rest. What changed since it was read has moved its rows: it is read
 * again. @returns what stands
 * @param rowsOf the open rows that must be there
 */
export async function pointersBack<Stored extends { etag: string }>(
  { records: { open } }: Services,
  read: Stored,
  rowsOf: (stored: Stored) => OpenRow[],
  readAgain: () => Promise<Stored | undefined>,
  { found }: Page,
): Promise<Stored | undefined> {
  for (let stored: Stored | undefined = read; stored !== undefined;) {
    const lost = await open.lost(rowsOf(stored));
    if (lost.length === 0) return stored;
    const now = await readAgain();
    if (now?.etag === stored.etag) {
      await Promise.all(lost.map((row) => open.put(row)));
      found.openRows += lost.length;
      return stored;
    }
    stored = now;
  }
  return undefined;
}

/** The same for a dossier. */
export const dossierPointersBack = <Request extends { id: string }, Event extends string>(
  services: Services,
  store: Dossiers<Request, Event>,
  read: StoredOf<Request>,
  page: Page,
): Promise<StoredOf<Request> | undefined> =>
  pointersBack(
    services,
    read,
    ({ request }) => store.pointers(request),
    () => store.read(read.request.id),
    page,
  );

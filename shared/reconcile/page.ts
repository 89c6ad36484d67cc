import type { Found } from '../records/operations-notes';

export type Warn = (message: string) => void;

/** A page that is looked through. */
export interface Page {
  /** The key behind which it begins. */
  after: string;
  /** The directory is asked about what stands on it. */
  asksDirectory: boolean;
  /** Where it is written down what was found and done. */
  found: Found;
  at: Date;
  warn: Warn;
}

/** Rows that are looked at in one go: a few hundred calls to storage, and ten batches to Microsoft Graph, at most. */
export const PAGE_SIZE = 100;
/** Rows that are looked at at once. */
export const PARALLEL = 8;
/** Until then what is missing may still be about to be written. */
export const FRESH_MS = 600_000;
/** So much later than it was due a step is late, whatever the sweeper does each minute. */
export const LATE_MS = 3_600_000;

/** So many of what was only found are kept, for operations to look at; all are counted. */
const MOST_KEPT = 20;

export function keep<Item>(list: Item[], item: Item): void {
  if (list.length < MOST_KEPT) list.push(item);
}

/**
 * Looks at one row; whatever is wrong with it, the others of the page are looked at as well.
 * @param what for the log, which names no person
 */
export async function attempt(page: Page, id: string, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    failed(page, id);
    page.warn(`${what} could not be reconciled: ${String(error)}`);
  }
}

export function failed({ found }: Pick<Page, 'found'>, id: string): void {
  found.failed += 1;
  keep(found.first.failed, id);
}

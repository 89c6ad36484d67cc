import type { Found, Walk, WalkPart } from '../records/operations-notes';
import type { Services } from '../services';
import { changesPage, requestsPage } from './dossiers';
import { groupsPage } from './groups';
import { livesPage } from './lives';
import { membershipsPage } from './memberships';
import type { Page, Warn } from './page';

const PARTS: readonly WalkPart[] = ['requests', 'changes', 'memberships', 'lives', 'groups'];

const NOTHING: Found = {
  requests: 0,
  changes: 0,
  memberships: 0,
  lives: 0,
  groups: 0,
  oneOwner: 0,
  noOwner: 0,
  nobodyLeft: 0,
  openRows: 0,
  lists: 0,
  claims: 0,
  madeDue: 0,
  late: 0,
  inactive: 0,
  stranded: 0,
  failed: 0,
  unasked: 0,
  first: { late: [], inactive: [], stranded: [], nobodyLeft: [], failed: [] },
};

export const newWalk = (at: Date): Walk => ({
  startedAt: at.toISOString(),
  part: 'requests',
  after: '',
  found: NOTHING,
});

/**
 * Takes the next page of the walk. What it does may be repeated: a page that broke off is taken again.
 * @returns the walk as it stands behind the page; ended where that was the last one
 * @throws {DirectoryUnavailable | DirectoryRefused} before anything was mended; never where the walk goes on without the directory
 */
export async function takePage(services: Services, walk: Walk, at: Date, warn: Warn): Promise<Walk> {
  const found = structuredClone(walk.found);
  const page: Page = { after: walk.after, asksDirectory: walk.withoutDirectory !== true, found, at, warn };
  const next = await pageOf(services, walk.part, page);
  if (next !== undefined) return { ...walk, after: next, found };
  const part = PARTS[PARTS.indexOf(walk.part) + 1];
  return part === undefined
    ? { ...walk, after: '', endedAt: at.toISOString(), found }
    : { ...walk, part, after: '', found };
}

function pageOf(services: Services, part: WalkPart, page: Page): Promise<string | undefined> {
  switch (part) {
    case 'requests':
      return requestsPage(services, page);
    case 'changes':
      return changesPage(services, page);
    case 'memberships':
      return membershipsPage(services, page);
    case 'lives':
      return livesPage(services, page);
    case 'groups':
      return groupsPage(services, page);
  }
}

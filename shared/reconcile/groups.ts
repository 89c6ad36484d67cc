import { isForgottenPlace, isPlace } from '../directory/group-listing';
import type { ListedGroup } from '../directory/group-listing';
import { refuseGroupKind } from '../domain/eligibility';
import { begin, isInCare, lookNow } from '../domain/ownerless';
import type { Care } from '../domain/ownerless';
import { isCaredFor } from '../group-changes/second-owner';
import { inParallel } from '../parallel';
import { defaultPolicy } from '../policies/in-force';
import type { StoredCare } from '../records/ownerless';
import { Conflict } from '../records/tables';
import type { Services } from '../services';
import { attempt, keep, PAGE_SIZE, PARALLEL } from './page';
import type { Page } from './page';
import { dossierPointersBack } from './pointers';

const ROUTE = 'activity:reconcilePage';
/** A look at a page that takes longer is broken off: an activity must end within the host's `functionTimeout`. */
const LONGEST_MS = 120_000;
/** So many owners who can decide a group should have. */
const ENOUGH = 2;

/**
 * Groups that are opted in: those with fewer than two owners who can decide are cared for from now on, each by steps of its own. Where the
 * default policy opts groups in, all of the tenant are gone through, else those that have a policy of their own, as those have that
 * Gatehouse created. @returns where it goes on
 */
export async function groupsPage(services: Services, page: Page): Promise<string | undefined> {
  const { policy } = await defaultPolicy(services);
  const goesThroughAll = page.asksDirectory && policy.optedIn && policy.ownerCare;
  // somebody may change the default policy between two pages: the places of the one are none of the other
  const isOfOther = page.after !== '' && goesThroughAll !== isPlace(page.after);
  const from = isOfOther ? fromTheStart(page) : page;
  return goesThroughAll ? listedPage(services, from) : ownPolicyPage(services, from);
}

/** What was counted of the groups so far is counted again. */
function fromTheStart(page: Page): Page {
  const { found } = page;
  Object.assign(found, { groups: 0, oneOwner: 0, noOwner: 0, nobodyLeft: 0 });
  found.first.nobodyLeft = [];
  return { ...page, after: '' };
}

async function listedPage(services: Services, page: Page): Promise<string | undefined> {
  const options = {
    pageSize: PAGE_SIZE,
    countMembers: false,
    // whether the cloud manages a synchronised one is read with it
    only: (group: ListedGroup['group']) => refuseGroupKind(group, true) === undefined,
    signal: AbortSignal.timeout(LONGEST_MS),
    ...(page.after !== '' && { after: page.after }),
  };
  try {
    for await (const { groups, after } of services.groups.all(options)) {
      const changeable = groups.filter(({ group, isCloudManaged }) => !refuseGroupKind(group, isCloudManaged));
      await lookAtAll(services, changeable, page);
      return after;
    }
    return undefined;
  } catch (error) {
    // Graph forgets its places after a while; what was looked at is looked at again
    if (!isForgottenPlace(error) || page.after === '') throw error;
    page.warn('Microsoft Graph no longer knows where the groups were left; they are gone through from the start');
    return listedPage(services, fromTheStart(page));
  }
}

async function ownPolicyPage(services: Services, page: Page): Promise<string | undefined> {
  const { groupIds, next } = await services.records.selfService.optedIn(PAGE_SIZE, page.after);
  const { found, asksDirectory } = page;
  if (!asksDirectory) {
    found.groups += groupIds.length;
    found.unasked += groupIds.length;
    return next;
  }
  await lookAtAll(
    services,
    await services.groups.byIds(groupIds, { signal: AbortSignal.timeout(LONGEST_MS) }),
    page,
    groupIds.length,
  );
  return next;
}

async function lookAtAll(
  services: Services,
  groups: readonly ListedGroup[],
  page: Page,
  count = groups.length,
): Promise<void> {
  page.found.groups += count;
  await inParallel(PARALLEL, groups, (listed) =>
    attempt(page, listed.group.id, `the group ${listed.group.id}`, () => lookAt(services, listed, page)),
  );
}

async function lookAt(services: Services, { group, usableOwners }: ListedGroup, page: Page): Promise<void> {
  const { cares } = services.records;
  const { found, at } = page;
  const read = await cares.read(group.id);
  const stored = read && (await dossierPointersBack(services, cares, read, page));
  const care = stored?.request;
  const hasCare = care !== undefined && isInCare(care);
  if (!hasCare && (usableOwners >= ENOUGH || !(await isCaredFor(services, group)))) return;
  if (usableOwners === 0) found.noOwner += 1;
  else if (usableOwners < ENOUGH) found.oneOwner += 1;
  try {
    if (stored !== undefined && hasCare) {
      if (care.state === 'nobody-left' && (usableOwners === 0 || care.why?.rule === 'owner-unreachable')) {
        found.nobodyLeft += 1;
        keep(found.first.nobodyLeft, { groupId: group.id, rule: care.why?.rule ?? '' });
      }
      const soon = isOtherwise(care, usableOwners) ? lookNow(care, at) : undefined;
      if (soon !== undefined) await cares.write(stored, soon, { route: ROUTE });
    } else {
      await beginCare(services, { id: group.id, name: group.displayName }, stored, at);
    }
  } catch (error) {
    // its own step, or another delivery of this page, wrote meanwhile
    if (!(error instanceof Conflict)) throw error;
  }
}

/** The owners are others than the care goes by: it looks again at once. */
function isOtherwise({ state, why }: Care, usableOwners: number): boolean {
  if (usableOwners >= ENOUGH) return true;
  const goesByOne = state === 'one-owner' || why?.rule === 'owner-unreachable';
  return usableOwners === 0 ? goesByOne : !goesByOne && state !== 'found';
}

async function beginCare(
  { records: { cares } }: Services,
  group: { id: string; name: string },
  before: StoredCare | undefined,
  at: Date,
): Promise<void> {
  const change = begin(group, before?.request, at);
  if (before === undefined) await cares.create(change, { route: ROUTE });
  else await cares.write(before, change, { route: ROUTE });
}

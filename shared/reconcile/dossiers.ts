import { isOpen as isOpenChange } from '../domain/group-change';
import { refuseRequester } from '../domain/eligibility';
import { grantDue, isOpen, lookAgainNow } from '../domain/join-request';
import type { JoinRequest } from '../domain/join-request';
import { changeClaimsBack } from '../group-changes/claim';
import { refuseGroup } from '../join-requests/eligibility';
import { inParallel } from '../parallel';
import { policyInForce } from '../policies/in-force';
import { keepClaim } from '../records/claims';
import type { StoredOf } from '../records/dossiers';
import { changeRequest } from '../records/records';
import type { Services } from '../services';
import { attempt, failed, FRESH_MS, keep, LATE_MS, PAGE_SIZE, PARALLEL } from './page';
import type { Page } from './page';
import { dossierPointersBack } from './pointers';

const ROUTE = 'activity:reconcilePage';

/** Join requests: what points to them is put back, and those that can't be granted any more look again at once. @returns where it goes on */
export async function requestsPage(services: Services, page: Page): Promise<string | undefined> {
  const { requests } = services.records;
  const { rows, unreadable, next } = await requests.page(PAGE_SIZE, page.after);
  const refused = await refusedNow(services, page, rows);
  page.found.requests += rows.length + unreadable.length;
  for (const id of unreadable) failed(page, id);
  await inParallel(PARALLEL, rows, (read) =>
    attempt(page, read.request.id, `request ${read.request.id}`, async () => {
      const stored = await dossierPointersBack(services, requests, read, page);
      if (stored === undefined) return;
      const { request } = stored;
      await listsBack(services, request, page);
      if (isOpen(request)) await claimBack(services, request, page);
      if (isAsleep(request) || refused.has(request.id)) await makeDue(services, request, page);
      const { at, found } = page;
      const times = [request.due, grantDue(request)?.toISOString()];
      if (times.some((due) => isLate(due, at))) {
        found.late += 1;
        keep(found.first.late, request.id);
      }
    }),
  );
  return next;
}

/** Group changes: what points to them is put back. @returns where it goes on */
export async function changesPage(services: Services, page: Page): Promise<string | undefined> {
  const { changes } = services.records;
  const { rows, unreadable, next } = await changes.page(PAGE_SIZE, page.after);
  page.found.changes += rows.length + unreadable.length;
  for (const id of unreadable) failed(page, id);
  await inParallel(PARALLEL, rows, (read) =>
    attempt(page, read.request.id, `group change ${read.request.id}`, async () => {
      const stored = await dossierPointersBack(services, changes, read, page);
      if (stored === undefined) return;
      page.found.claims += await changeClaimsBack(services, stored.request, page.at);
      const { due, told } = stored.request;
      if ((isOpenChange(stored.request) || !told) && isLate(due, page.at)) {
        page.found.late += 1;
        keep(page.found.first.late, stored.request.id);
      }
    }),
  );
  return next;
}

const isLate = (due: string | null | undefined, at: Date): boolean =>
  due != null && new Date(due).getTime() < at.getTime() - LATE_MS;

/** The lists that the request must stand on, from its first step on. */
async function listsBack({ records }: Services, request: JoinRequest, { found, at }: Page): Promise<void> {
  if (at.getTime() - new Date(request.filedAt).getTime() < FRESH_MS) return;
  const { lists, requests } = records;
  const missing = await lists.missing(request);
  if (missing.length === 0) return;
  const now = (await requests.read(request.id))?.request ?? request;
  // what is closed now has left the list of open ones since the page was read
  if (missing.every((list) => list === 'open') && !isOpen(now)) return;
  await lists.index(now);
  found.lists += 1;
  // it may have come to its end between the two
  const after = await requests.read(request.id);
  if (isOpen(now) && after !== undefined && !isOpen(after.request)) await lists.takeOff(request.id, request.filedAt);
}

/** Without its claim another request of the same person could be filed beside it. One of a request that ends meanwhile is taken over by the next. */
async function claimBack({ records: { claims } }: Services, request: JoinRequest, { found, at }: Page): Promise<void> {
  if ((await keepClaim(claims, [request.group.id, request.requester.id], request.id, at)) === 'back') found.claims += 1;
}

/** Something is left to do and nothing is due: somebody changed the row by hand. */
const isAsleep = (request: JoinRequest): boolean =>
  request.due === null && (isOpen(request) ? request.state !== 'failed' : !request.told);

async function makeDue({ records }: Services, { id }: JoinRequest, { found, at }: Page): Promise<void> {
  let isDue = false;
  await changeRequest(records, id, { route: ROUTE }, (now) => {
    const change = isAsleep(now) || now.state === 'pending' ? lookAgainNow(now, at) : undefined;
    isDue = change !== undefined;
    return change;
  });
  if (isDue) found.madeDue += 1;
}

/**
 * Pending requests whose group can't be joined any more, or whose requester is gone or can't be a member. That is not decided here: their
 * own step looks again, and ends them with its reason.
 */
async function refusedNow(
  services: Services,
  { asksDirectory, found }: Page,
  rows: readonly StoredOf<JoinRequest>[],
): Promise<Set<string>> {
  const pending = rows.map(({ request }) => request).filter(({ state }) => state === 'pending');
  if (pending.length === 0) return new Set();
  if (!asksDirectory) {
    found.unasked += pending.length;
    return new Set();
  }
  const groupIds = [...new Set(pending.map(({ group }) => group.id))];
  const [groups, people] = await Promise.all([
    services.lookup.groups(groupIds),
    services.lookup.people(pending.map(({ requester }) => requester.id)),
  ]);
  const closed = new Set<string>();
  await inParallel(PARALLEL, groupIds, async (groupId) => {
    const [{ policy }, isNamedByPolicy] = await Promise.all([
      policyInForce(services, groupId),
      services.records.policies.isNamed(groupId),
    ]);
    const refusal = await refuseGroup(services, { group: groups.get(groupId), policy, isNamedByPolicy });
    if (refusal !== undefined) closed.add(groupId);
  });
  const isRefused = ({ group, requester, policy }: JoinRequest): boolean => {
    const person = people.get(requester.id);
    return (
      closed.has(group.id) ||
      person === undefined ||
      refuseRequester(person, { guests: policy.whoMayAsk.guests }) !== undefined
    );
  };
  return new Set(pending.filter(isRefused).map(({ id }) => id));
}

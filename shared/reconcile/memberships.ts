import { inParallel } from '../parallel';
import type { MembershipPage } from '../records/memberships';
import type { Services } from '../services';
import { attempt, failed, FRESH_MS, keep, PAGE_SIZE, PARALLEL } from './page';
import type { Page } from './page';

type Row = MembershipPage['rows'][number];

/**
 * Memberships that Gatehouse wants: whose account is disabled or gone, and which have a grant that is over and that nothing would end.
 * Both are only noted: nobody is removed but by the end of their grant. @returns where it goes on
 */
export async function membershipsPage(services: Services, page: Page): Promise<string | undefined> {
  const { rows, unreadable, next } = await services.records.memberships.page(PAGE_SIZE, page.after);
  const wanted = rows.filter(({ membership }) => membership.wanted === 'in' && membership.grants.length > 0);
  const { asksDirectory, found } = page;
  const people = asksDirectory ? await services.lookup.people(wanted.map(({ personId }) => personId)) : undefined;
  found.memberships += rows.length + unreadable.length;
  for (const key of unreadable) failed(page, key);
  if (people === undefined) found.unasked += wanted.length;
  else
    for (const { groupId, personId } of wanted) {
      const person = people.get(personId);
      if (person?.accountEnabled === true) continue;
      found.inactive += 1;
      keep(found.first.inactive, { groupId, personId, why: person === undefined ? 'gone' : 'disabled' });
    }
  await inParallel(PARALLEL, wanted, (row) =>
    attempt(page, `${row.groupId}/${row.personId}`, `a membership of the group ${row.groupId}`, () =>
      noteStranded(services, row, page),
    ),
  );
  return next;
}

/** A grant is ended by its request: one that is over and has none that is granted stays for ever. */
async function noteStranded({ records }: Services, row: Row, { found, at }: Page): Promise<void> {
  const isOver = (until: string | undefined): boolean =>
    until !== undefined && new Date(until).getTime() < at.getTime() - FRESH_MS;
  for (const { requestId, until } of row.membership.grants) {
    if (!isOver(until) || (await records.requests.read(requestId))?.request.state === 'granted') continue;
    // it may have come to its end since the page was read
    const now = await records.memberships.read(row.groupId, row.personId);
    if (!(now?.grants ?? []).some((grant) => grant.requestId === requestId && isOver(grant.until))) continue;
    found.stranded += 1;
    keep(found.first.stranded, { groupId: row.groupId, personId: row.personId, requestId });
  }
}

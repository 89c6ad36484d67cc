import { createHash } from 'node:crypto';

import type { Counted } from '../shared/records/limits';
import { problems } from '../shared/web/problem';
import type { Visit } from './door';

/** Counts the call for each of these in turn. @throws {Problem} 429 where one of them had too many in this hour */
export async function withinLimits(
  { services, at }: Pick<Visit<unknown>, 'services' | 'at'>,
  counted: readonly Counted[],
  title = 'Too many of these calls were made in this hour',
): Promise<void> {
  const wait = await services.records.limits.count(counted, at);
  if (wait > 0) throw problems.tooMany(title, wait);
}

const hashOf = (person: string): string => createHash('sha256').update(person.toLowerCase()).digest('hex');

/** Groups that one person asks to create. */
export const creationsOf = (personId: string): Counted => ({ kind: 'person', id: `create-${hashOf(personId)}` });

/** Names that one person has checked. */
export const namesCheckedBy = (personId: string): Counted => ({ kind: 'group', id: `names-${hashOf(personId)}` });

/** What one person asks to have changed about one group: each person's by themselves, so that a stranger's calls are not the owners'. */
export const changesOf = (groupId: string, personId: string): Counted => ({
  kind: 'group',
  id: `change-${groupId}-${hashOf(personId)}`,
});

/** Counts a reminder that a person asks for, for them and for the group. @throws {Problem} 429 where one of them had too many in this hour */
export const withinNudgeLimits = (
  visit: Pick<Visit<unknown>, 'services' | 'at'>,
  { groupId, personId }: { groupId: string; personId: string },
): Promise<void> =>
  withinLimits(
    visit,
    [
      { kind: 'person', id: `nudge-${hashOf(personId)}` },
      { kind: 'group', id: `nudge-${groupId}` },
    ],
    'Too many reminders were asked for in this hour',
  );

/** Counts the call while other work goes on: whoever looks first at what went wrong tells it. */
export function countedMeanwhile(visit: Pick<Visit<unknown>, 'services' | 'at'>, counted: Counted): Promise<void> {
  const admitted = withinLimits(visit, [counted]);
  admitted.catch(() => undefined);
  return admitted;
}

/** Counts a filing for its caller, its person and its group. @throws {Problem} 429 where one of them had too many in this hour */
export function withinFilingLimits(
  visit: Pick<Visit<unknown>, 'services' | 'at' | 'caller'>,
  { groupId, person }: { groupId: string; person: string },
): Promise<void> {
  const { caller } = visit;
  // in this order: a call that is refused for its caller must not use up what others have for the same person and group
  const counted: Counted[] = [
    ...(caller.kind === 'app' ? [{ kind: 'app' as const, id: caller.id }] : []),
    { kind: 'person', id: hashOf(person) },
    { kind: 'group', id: groupId },
  ];
  return withinLimits(visit, counted, 'Too many requests were filed in this hour');
}

import { isOpen, isToTell, postpone } from '../../shared/domain/group-change';
import type { GroupChange, Step } from '../../shared/domain/group-change';
import { changeStored } from '../../shared/records/dossiers';
import type { Services } from '../../shared/services';
import { gone, orElse, retryAt, timeOf } from './standing';
import type { Standing, StepInput } from './standing';

export function standingOf(change: GroupChange, postponed = false): Standing {
  const { state, waitingFor } = change;
  const due = isOpen(change) || !change.told ? change.due : null;
  return { state, stage: 0, waitingFor, due, toTell: isToTell(change), postponed };
}

/** Writes down that the step waits for a service, and when it is tried again. */
export async function changePostponed(
  { records }: Services,
  input: StepInput,
  waitingFor: 'mail' | 'directory',
  retryAfterMs: number | undefined,
  route: string,
): Promise<Standing> {
  const until = retryAt(timeOf(input), input.attempt, retryAfterMs);
  // another delivery of the step may have taken it meanwhile, and nothing be due any more
  const stored = await changeStored(records.changes, input.requestId, { route }, (change) =>
    standingOf(change).due === null ? undefined : postpone(change, waitingFor, until),
  );
  return stored === undefined ? gone() : standingOf(stored.request, true);
}

/** Takes a step; where a service can't answer now, the row says what it waits for and the step is due again later. */
export const changeOrPostponed = (
  services: Services,
  input: StepInput,
  route: string,
  step: () => Promise<Standing>,
): Promise<Standing> =>
  orElse(step, (waitingFor, retryAfterMs) => changePostponed(services, input, waitingFor, retryAfterMs, route));

/** One compare-and-swap of the change, and what stands after it. */
export async function changed(
  { records }: Services,
  id: string,
  route: string,
  decide: (change: GroupChange) => Step | undefined,
): Promise<Standing> {
  const stored = await changeStored(records.changes, id, { route }, decide);
  return stored === undefined ? gone() : standingOf(stored.request);
}

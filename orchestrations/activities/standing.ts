import { DirectoryRefused, DirectoryUnavailable } from '../../shared/directory/directory';
import type { ChangeState } from '../../shared/domain/group-change';
import { isOpen, isToTell, postpone } from '../../shared/domain/join-request';
import type { JoinRequest, RequestState, WaitingFor } from '../../shared/domain/join-request';
import { MailUnavailable } from '../../shared/mail/mailer';
import { changeRequest } from '../../shared/records/records';
import type { Services } from '../../shared/services';

/** What every activity of a join request or a group change is given. No personal data: it stands in the durable history. */
export interface StepInput {
  requestId: string;
  /** The orchestrator's time. */
  at: string;
  /** How often in a row the step could not be taken. */
  attempt: number;
}

/** What stands after an activity, read from the row: all that the orchestrator knows. */
export interface Standing {
  state: RequestState | ChangeState;
  stage: number;
  waitingFor: WaitingFor;
  /** When the next step is due. */
  due: string | null;
  /** An outcome stands that was not told yet. */
  toTell: boolean;
  /** The step could not be taken now; it is due again at `due`. */
  postponed: boolean;
}

export function standing(request: JoinRequest, postponed = false): Standing {
  const { state, stage, waitingFor } = request;
  // nothing more is due in the story of the request once its outcome was told: its grant has a story of its own
  const due = isOpen(request) || !request.told ? request.due : null;
  return { state, stage: stage.index, waitingFor, due, toTell: isToTell(request), postponed };
}

/** The time of a step: when the orchestrator scheduled it, or now where it runs late, after a crash or another attempt. */
export const timeOf = ({ at }: Pick<StepInput, 'at'>): Date => new Date(Math.max(new Date(at).getTime(), Date.now()));

const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 300_000;
const LONGEST_WISH_MS = 3_600_000;

/** Twice as long after each attempt, from two seconds to five minutes; longer, up to an hour, where the service asks for it. */
export function retryAt(at: Date, attempt: number, retryAfterMs = 0): Date {
  const backoff = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt, 20), LONGEST_RETRY_MS);
  return new Date(at.getTime() + Math.max(backoff, Math.min(retryAfterMs, LONGEST_WISH_MS)));
}

/** Writes down that the step waits for a service, and when it is tried again. */
export async function postponed(
  services: Services,
  input: StepInput,
  waitingFor: 'mail' | 'directory',
  retryAfterMs: number | undefined,
  route: string,
): Promise<Standing> {
  const until = retryAt(timeOf(input), input.attempt, retryAfterMs);
  // another delivery of the step may have taken it meanwhile, and nothing be due any more
  const stored = await changeRequest(services.records, input.requestId, { route }, (request) =>
    standing(request).due === null ? undefined : postpone(request, waitingFor, until),
  );
  return stored === undefined ? gone() : standing(stored.request, true);
}

/** So often in a row the directory must miss something until that is true: replicas may miss for a moment what there is. */
export const MISSED_BEFORE = 2;

/** Whether the directory missed something often enough to be believed. Attempts that waited for mail say nothing about that. */
export const isBelieved = (
  { waitingFor }: { waitingFor: string | null },
  { attempt }: Pick<StepInput, 'attempt'>,
): boolean => attempt >= MISSED_BEFORE && waitingFor === 'directory';

/**
 * Only when group or person are missing again later is that true.
 * @throws {DirectoryUnavailable} the first times
 */
export function confirmMissing(rule: string | undefined, request: JoinRequest, input: StepInput): void {
  if ((rule === 'group-not-found' || rule === 'requester-not-found') && !isBelieved(request, input))
    throw new DirectoryUnavailable('The group or the person is not there at this moment.');
}

/** Takes a step; where a service can't answer now, the row says what it waits for and the step is due again later. */
export const orPostponed = (
  services: Services,
  input: StepInput,
  route: string,
  step: () => Promise<Standing>,
): Promise<Standing> =>
  orElse(step, (waitingFor, retryAfterMs) => postponed(services, input, waitingFor, retryAfterMs, route));

/** Takes a step; `unavailable` says what stands where a service can't answer now. */
export async function orElse(
  step: () => Promise<Standing>,
  unavailable: (waitingFor: 'mail' | 'directory', retryAfterMs?: number) => Promise<Standing>,
): Promise<Standing> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof DirectoryUnavailable) return unavailable('directory', error.retryAfterMs);
    if (error instanceof DirectoryRefused) return unavailable('directory');
    if (error instanceof MailUnavailable) return unavailable('mail', error.retryAfterMs);
    throw error;
  }
}

/** The step waits for a service, and nothing of that is written: what is due stands in the row as it did. */
export function waiting(request: JoinRequest | undefined, input: StepInput, retryAfterMs?: number): Standing {
  const due = retryAt(timeOf(input), input.attempt, retryAfterMs).toISOString();
  return { ...(request === undefined ? gone() : standing(request)), due, postponed: true };
}

/** Takes a step of a grant; where a service can't answer now it is due again later. */
export async function orLater(input: StepInput, step: () => Promise<Standing>): Promise<Standing> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof DirectoryUnavailable || error instanceof MailUnavailable)
      return waiting(undefined, input, error.retryAfterMs);
    if (error instanceof DirectoryRefused) return waiting(undefined, input);
    throw error;
  }
}

/** There is no such request: its filing never came to its end. */
export function gone(): Standing {
  return { state: 'cancelled', stage: 0, waitingFor: null, due: null, toTell: false, postponed: false };
}

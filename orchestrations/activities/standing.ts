import { DirectoryRefused, DirectoryUnavailable } from '../../shared/directory/directory';
import { isOpen, postpone } from '../../shared/domain/join-request';
import type { JoinRequest, RequestState, WaitingFor } from '../../shared/domain/join-request';
import { MailUnavailable } from '../../shared/mail/mailer';
import { changeRequest } from '../../shared/records/records';
import type { Services } from '../../shared/services';

/** What every activity of a join request is given. No personal data: it stands in the durable history. */
export interface StepInput {
  requestId: string;
  /** The orchestrator's time. */
  at: string;
  /** How often in a row the step could not be taken. */
  attempt: number;
}

/** What stands after an activity, read from the row: all that the orchestrator knows. */
export interface Standing {
  state: RequestState;
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
  const { state, stage, waitingFor, due, told } = request;
  return { state, stage: stage.index, waitingFor, due, toTell: !isOpen(request) && !told, postponed };
}

const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 300_000;

/** Twice as long after each attempt, from two seconds to five minutes; longer where the service asks for it. */
export function retryAt(at: Date, attempt: number, retryAfterMs = 0): Date {
  const backoff = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt, 20), LONGEST_RETRY_MS);
  return new Date(at.getTime() + Math.max(backoff, retryAfterMs));
}

/** Writes down that the step waits for a service, and when it is tried again. */
export async function postponed(
  services: Services,
  input: StepInput,
  waitingFor: 'mail' | 'directory',
  retryAfterMs: number | undefined,
  route: string,
): Promise<Standing> {
  const until = retryAt(new Date(input.at), input.attempt, retryAfterMs);
  const stored = await changeRequest(services.records, input.requestId, { route }, (request) =>
    postpone(request, waitingFor, until),
  );
  return stored === undefined ? gone() : standing(stored.request, true);
}

/** Takes a step; where a service can't answer now, the row says what it waits for and the step is due again later. */
export async function orPostponed(
  services: Services,
  input: StepInput,
  route: string,
  step: () => Promise<Standing>,
): Promise<Standing> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof DirectoryUnavailable)
      return postponed(services, input, 'directory', error.retryAfterMs, route);
    if (error instanceof DirectoryRefused) return postponed(services, input, 'directory', undefined, route);
    if (error instanceof MailUnavailable) return postponed(services, input, 'mail', error.retryAfterMs, route);
    throw error;
  }
}

/** There is no such request: its filing never came to its end. */
export function gone(): Standing {
  return { state: 'cancelled', stage: 0, waitingFor: null, due: null, toTell: false, postponed: false };
}

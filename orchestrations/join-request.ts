import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';

import { services } from '../shared/services';
import { notify } from './activities/notify';
import { settle } from './activities/settle';
import type { Standing, StepInput } from './activities/standing';
import { tell } from './activities/tell';
import { callActivity, Wakeups } from './durable';
import type { Instances, Orchestration } from './durable';

const ORCHESTRATION = 'joinRequest';
const CHANGED = 'changed';

/** After so many steps the instance starts afresh, with an empty history: all that it knows stands in the row. */
const STEPS_PER_HISTORY = 24;

/**
 * A join request, from asking the owners to telling the outcome. The row in Table Storage decides what stands; the orchestration is how
 * time passes.
 */
export function* joinRequest(context: OrchestrationContext): Orchestration<unknown> {
  const request = follow(context);

  let stands = yield* request.notify();
  while (stands.due !== null) {
    if (request.hasGoneOnForLong()) return request.startAfresh();

    const woken = yield* request.until(stands.due);
    if (stands.toTell) stands = yield* request.tell();
    else if (woken || stands.state !== 'pending') stands = yield* request.settle();
    else stands = yield* request.notify();
  }
  return { state: stands.state };
}

/** The steps of one request, each an activity that reads the row first and says what stands after it. */
function follow(context: OrchestrationContext) {
  const { requestId } = context.df.getInput<{ requestId: string }>() ?? { requestId: '' };
  const wakeups = new Wakeups(context, CHANGED);
  let steps = 0;
  let attempt = 0;

  const step = (name: string) =>
    function* (): Orchestration<Standing> {
      const input: StepInput = { requestId, at: context.df.currentUtcDateTime.toISOString(), attempt };
      const stands = yield* callActivity<Standing>(context, name, input);
      steps += 1;
      attempt = stands.postponed ? attempt + 1 : 0;
      const { state, stage, waitingFor, due } = stands;
      context.df.setCustomStatus({ state, stage, waitingFor, due });
      return stands;
    };

  return {
    notify: step('notify'),
    settle: step('settle'),
    tell: step('tell'),
    until: (due: string) => wakeups.until(new Date(due)),
    hasGoneOnForLong: () => steps >= STEPS_PER_HISTORY,
    startAfresh: () => {
      context.df.continueAsNew({ requestId });
    },
  };
}

df.app.orchestration(ORCHESTRATION, joinRequest);
df.app.activity('notify', { handler: (input: StepInput) => notify(services(), input) });
df.app.activity('settle', { handler: (input: StepInput) => settle(services(), input) });
df.app.activity('tell', { handler: (input: StepInput) => tell(services(), input) });

/** The workflows of join requests, for the doors: start one, or wake it because its row changed. */
export interface JoinWorkflows {
  /** @returns whether it was started; it may run already. */
  start(requestId: string): Promise<boolean>;
  /** Lets the workflow look at its row; starts it where there is none. */
  wake(requestId: string): Promise<void>;
  status(requestId: string): ReturnType<Instances['status']>;
}

export function joinWorkflows(durable: Instances): JoinWorkflows {
  const instanceId = (requestId: string): string => `join-${requestId}`;
  const start: JoinWorkflows['start'] = (requestId) =>
    durable.start(ORCHESTRATION, instanceId(requestId), { requestId });
  return {
    start,
    wake: async (requestId) => {
      if (!(await durable.raise(instanceId(requestId), CHANGED))) await start(requestId);
    },
    status: (requestId) => durable.status(instanceId(requestId)),
  };
}

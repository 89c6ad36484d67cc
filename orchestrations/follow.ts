import type { OrchestrationContext } from 'durable-functions';

import type { Standing, StepInput } from './activities/standing';
import { callActivity, Wakeups } from './durable';
import type { Instances, Orchestration } from './durable';

const CHANGED = 'changed';

/** After so many steps the instance starts afresh, with an empty history: all that it knows stands in the row. */
const STEPS_PER_HISTORY = 10;

/**
 * The steps of something that was asked for, each an activity (of the name given) that reads the row first and says what stands after it.
 */
export function follow(context: OrchestrationContext, names: { ask: string; apply: string; tell: string }) {
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
    ask: step(names.ask),
    apply: step(names.apply),
    tell: step(names.tell),
    until: (due: string) => wakeups.until(new Date(due)),
    hasGoneOnForLong: () => steps >= STEPS_PER_HISTORY,
    startAfresh: () => {
      context.df.continueAsNew({ requestId });
    },
  };
}

/** The workflows of one kind, for the doors: start one, or wake it because its row changed. `trace`: that of the call that filed it. */
export interface Stories {
  /** @returns whether it was started; it may run already. */
  start(requestId: string, trace?: string): Promise<boolean>;
  /** Lets the workflow look at its row; starts it where there is none. */
  wake(requestId: string): Promise<void>;
  /** Starts the workflow where it has come to its end or was lost, else lets it look at its row. @returns whether it was started. */
  resume(requestId: string, trace?: string): Promise<boolean>;
  status(requestId: string): ReturnType<Instances['status']>;
}

/** @param prefix of the instance ids: `join`, `change` */
export function storyInstances(durable: Instances, orchestration: string, prefix: string): Stories {
  const instanceId = (requestId: string): string => `${prefix}-${requestId}`;
  const start: Stories['start'] = (requestId, trace) =>
    durable.start(orchestration, instanceId(requestId), { requestId }, trace);
  const wake: Stories['wake'] = async (requestId) => {
    if (!(await durable.raise(instanceId(requestId), CHANGED))) await start(requestId);
  };
  return {
    start,
    wake,
    resume: async (requestId, trace) => {
      if (await start(requestId, trace)) return true;
      await wake(requestId);
      return false;
    },
    status: (requestId) => durable.status(instanceId(requestId)),
  };
}

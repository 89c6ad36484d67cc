import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';

import { end } from './activities/end';
import type { Standing, StepInput } from './activities/standing';
import { warn } from './activities/warn';
import { activity, callActivity, Wakeups } from './durable';
import type { Instances, Orchestration } from './durable';

const ORCHESTRATION = 'grant';
const CHANGED = 'changed';
const ATTEMPTS_PER_HISTORY = 8;

/**
 * What a grant has due: a warning that its time comes to its end, or the end itself, after which the requester is told. Started when
 * something is due; nothing waits for a year.
 */
export function* grant(context: OrchestrationContext): Orchestration<unknown> {
  const { requestId } = context.df.getInput<{ requestId: string }>() ?? { requestId: '' };
  const wakeups = new Wakeups(context, CHANGED);

  for (let attempt = 0; attempt < ATTEMPTS_PER_HISTORY; attempt += 1) {
    const step = (name: string): Orchestration<Standing> => {
      const input: StepInput = { requestId, at: context.df.currentUtcDateTime.toISOString(), attempt };
      return callActivity<Standing>(context, name, input);
    };
    const warned = yield* step('warn');
    const ended = yield* step('end');
    const told = ended.toTell ? yield* step('tell') : ended;

    const again = [warned, ended, told].filter(({ postponed }) => postponed).map(({ due }) => due ?? '');
    const [earliest] = again.toSorted();
    if (earliest === undefined) return { state: told.state };
    yield* wakeups.until(new Date(earliest));
  }
  return context.df.continueAsNew({ requestId });
}

df.app.orchestration(ORCHESTRATION, grant);
activity('warn', warn);
activity('end', end);

/** Starts what a grant has due. */
export interface GrantWorkflows {
  /** @returns whether it was started; one that runs already is woken. */
  attend(requestId: string, trace?: string): Promise<boolean>;
}

export function grantWorkflows(durable: Instances): GrantWorkflows {
  return {
    attend: async (requestId, trace) => {
      const instanceId = `grant-${requestId}`;
      if (await durable.start(ORCHESTRATION, instanceId, { requestId }, trace)) return true;
      await durable.raise(instanceId, CHANGED);
      return false;
    },
  };
}

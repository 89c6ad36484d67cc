import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';

import type { StepInput } from './activities/standing';
import { tendGroup } from './activities/tend-group';
import type { CareStanding } from './activities/tend-group';
import { activity, callActivity, Wakeups } from './durable';
import type { Instances, Orchestration } from './durable';

const ORCHESTRATION = 'careForGroup';
const CHANGED = 'changed';
const ATTEMPTS_PER_HISTORY = 8;

/**
 * What the care for a group with too few owners has due: the look at its owners, and the mails that follow from it. Started when something
 * is due; nothing waits for a month.
 */
export function* careForGroup(context: OrchestrationContext): Orchestration<unknown> {
  const { groupId } = context.df.getInput<{ groupId: string }>() ?? { groupId: '' };
  const wakeups = new Wakeups(context, CHANGED);

  for (let attempt = 0; attempt < ATTEMPTS_PER_HISTORY; attempt += 1) {
    const input: StepInput = { requestId: groupId, at: context.df.currentUtcDateTime.toISOString(), attempt };
    const { state, due, postponed } = yield* callActivity<CareStanding>(context, 'tendGroup', input);
    if (!postponed || due === null) return { state };
    yield* wakeups.until(new Date(due));
  }
  return context.df.continueAsNew({ groupId });
}

df.app.orchestration(ORCHESTRATION, careForGroup);
activity('tendGroup', tendGroup);

/** Starts what the care for a group has due. */
export interface CareWorkflows {
  /** @returns whether it was started; one that runs already is woken. */
  attend(groupId: string): Promise<boolean>;
}

export function careWorkflows(durable: Instances): CareWorkflows {
  return {
    attend: async (groupId) => {
      const instanceId = `care-${groupId}`;
      if (await durable.start(ORCHESTRATION, instanceId, { groupId })) return true;
      await durable.raise(instanceId, CHANGED);
      return false;
    },
  };
}

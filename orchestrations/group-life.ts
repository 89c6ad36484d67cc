import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';

import { attendLife } from './activities/attend-life';
import type { LifeInput, LifeStanding } from './activities/attend-life';
import { activity, callActivity } from './durable';
import type { Instances, Orchestration } from './durable';

const ORCHESTRATION = 'groupLife';
/** After so many steps the instance starts afresh, with an empty history. */
const STEPS_PER_HISTORY = 10;

/**
 * What is due in the life of a group: a warning, its end, what comes after. Started by the sweeper when something is, and over when nothing
 * is any more for now: nothing durable lives as long as a group does.
 */
export function* groupLife(context: OrchestrationContext): Orchestration<unknown> {
  const { groupId } = context.df.getInput<{ groupId: string }>() ?? { groupId: '' };
  for (let step = 0; step < STEPS_PER_HISTORY; step += 1) {
    const now = context.df.currentUtcDateTime;
    const input: LifeInput = { groupId, at: now.toISOString() };
    const stands = yield* callActivity<LifeStanding>(context, 'attendLife', input);
    const { waitingFor, due } = stands;
    context.df.setCustomStatus({ waitingFor, due });
    // what waits for a service is taken up by the sweeper; what is due at once goes on here
    if (due === null || waitingFor !== null || new Date(due) > context.df.currentUtcDateTime) return { due };
  }
  return context.df.continueAsNew({ groupId });
}

df.app.orchestration(ORCHESTRATION, groupLife);
activity('attendLife', attendLife);

/** Starts what the life of a group has due. */
export interface LifeWorkflows {
  /** @returns whether it was started; one that runs already looks at the row by itself. */
  attend(groupId: string): Promise<boolean>;
}

export function lifeWorkflows(durable: Instances): LifeWorkflows {
  return { attend: (groupId) => durable.start(ORCHESTRATION, `life-${groupId}`, { groupId }) };
}

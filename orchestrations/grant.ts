import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';

import { services } from '../shared/services';
import { end } from './activities/end';
import type { Standing, StepInput } from './activities/standing';
import { callActivity, Wakeups } from './durable';
import type { Instances, Orchestration } from './durable';

const ORCHESTRATION = 'grantEnd';
const ATTEMPTS_PER_HISTORY = 12;

/** The end of a grant's time: the membership is taken back, then the requester is told. Started when it is due; nothing waits for a year. */
export function* grantEnd(context: OrchestrationContext): Orchestration<unknown> {
  const { requestId } = context.df.getInput<{ requestId: string }>() ?? { requestId: '' };
  const wakeups = new Wakeups(context, 'changed');

  let name = 'end';
  for (let attempt = 0; attempt < ATTEMPTS_PER_HISTORY;) {
    const input: StepInput = { requestId, at: context.df.currentUtcDateTime.toISOString(), attempt };
    const stands = yield* callActivity<Standing>(context, name, input);
    if (stands.postponed && stands.due !== null) {
      attempt += 1;
      yield* wakeups.until(new Date(stands.due));
    } else if (name === 'end' && stands.toTell) {
      name = 'tell';
    } else {
      return { state: stands.state };
    }
  }
  return context.df.continueAsNew({ requestId });
}

df.app.orchestration(ORCHESTRATION, grantEnd);
df.app.activity('end', { handler: (input: StepInput) => end(services(), input) });

/** Starts what ends a grant. */
export interface GrantWorkflows {
  /** @returns whether it was started; it may run already. */
  end(requestId: string): Promise<boolean>;
}

export function grantWorkflows(durable: Instances): GrantWorkflows {
  return { end: (requestId) => durable.start(ORCHESTRATION, `grant-${requestId}`, { requestId }) };
}

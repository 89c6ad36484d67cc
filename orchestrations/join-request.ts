import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';

import { notify } from './activities/notify';
import { settle } from './activities/settle';
import { tell } from './activities/tell';
import { activity } from './durable';
import type { Instances, Orchestration } from './durable';
import { follow, storyInstances } from './follow';
import type { Stories } from './follow';

const ORCHESTRATION = 'joinRequest';

/**
 * A join request, from asking the owners to telling the outcome. The row in Table Storage decides what stands; the orchestration is how
 * time passes.
 */
export function* joinRequest(context: OrchestrationContext): Orchestration<unknown> {
  const request = follow(context, { ask: 'notify', apply: 'settle', tell: 'tell' });

  let stands = yield* request.ask();
  while (stands.due !== null) {
    if (request.hasGoneOnForLong()) return request.startAfresh();

    const woken = yield* request.until(stands.due);
    if (stands.toTell) stands = yield* request.tell();
    else if (woken || stands.state !== 'pending') stands = yield* request.apply();
    else stands = yield* request.ask();
  }
  return { state: stands.state };
}

df.app.orchestration(ORCHESTRATION, joinRequest);
activity('notify', notify);
activity('settle', settle);
activity('tell', tell);

/** The workflows of join requests, for the doors: start one, or wake it because its row changed. */
export type JoinWorkflows = Stories;

export const joinWorkflows = (durable: Instances): JoinWorkflows => storyInstances(durable, ORCHESTRATION, 'join');

import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';

import { applyChange } from './activities/apply-change';
import { askAboutChange } from './activities/ask-about-change';
import { tellChange } from './activities/tell-change';
import { activity } from './durable';
import type { Instances, Orchestration } from './durable';
import { follow, storyInstances } from './follow';
import type { Stories } from './follow';

const ORCHESTRATION = 'groupChange';

/**
 * A change of a group, from asking those who must approve it, where anybody must, to telling those concerned. The row in Table Storage
 * decides what stands; the orchestration is how time passes.
 */
export function* groupChange(context: OrchestrationContext): Orchestration<unknown> {
  const change = follow(context, { ask: 'askAboutChange', apply: 'applyChange', tell: 'tellChange' });

  let stands = yield* change.ask();
  while (stands.due !== null) {
    if (change.hasGoneOnForLong()) return change.startAfresh();

    const woken = yield* change.until(stands.due);
    if (stands.toTell) stands = yield* change.tell();
    else if (woken || stands.state !== 'pending') stands = yield* change.apply();
    else stands = yield* change.ask();
  }
  return { state: stands.state };
}

df.app.orchestration(ORCHESTRATION, groupChange);
activity('askAboutChange', askAboutChange);
activity('applyChange', applyChange);
activity('tellChange', tellChange);

/** The workflows of group changes, for the doors. */
export type ChangeWorkflows = Stories;

export const changeWorkflows = (durable: Instances): ChangeWorkflows =>
  storyInstances(durable, ORCHESTRATION, 'change');

import * as df from 'durable-functions';
import type { OrchestrationContext } from 'durable-functions';

import { beginReconcile, reconcilePage } from './activities/reconcile';
import type { WalkInput, WalkStanding } from './activities/reconcile';
import { activity, callActivity } from './durable';
import type { Instances, Orchestration } from './durable';

const ORCHESTRATION = 'reconcile';
/** There is one, so that two never walk at the same time. */
const INSTANCE = 'reconcile-all';
/** After so many pages the instance starts afresh, with an empty history: where the walk stands is written down. */
const PAGES_PER_HISTORY = 20;

interface Input {
  /** It started afresh in the middle of a walk. */
  goesOn?: boolean;
}

/**
 * The reconcile: walks over all that is kept, page by page, and puts back what crashes, faults and hands of people took away. Where it
 * stands is a note in a table; the orchestration is how it goes on.
 */
export function* reconcile(context: OrchestrationContext): Orchestration<unknown> {
  const { goesOn = false } = context.df.getInput<Input>() ?? {};
  let attempt = 0;
  const step = (name: string): Orchestration<WalkStanding> => {
    const input: WalkInput = { at: context.df.currentUtcDateTime.toISOString(), attempt };
    return callActivity<WalkStanding>(context, name, input);
  };

  if (!goesOn) yield* step('beginReconcile');
  for (let pages = 0; pages < PAGES_PER_HISTORY; pages += 1) {
    const { isOver, part, looked, again } = yield* step('reconcilePage');
    context.df.setCustomStatus({ part, looked });
    if (isOver) return { looked };
    attempt = again === undefined ? 0 : attempt + 1;
    if (again !== undefined) yield context.df.createTimer(new Date(again));
  }
  return context.df.continueAsNew({ goesOn: true });
}

df.app.orchestration(ORCHESTRATION, reconcile);
activity('beginReconcile', beginReconcile);
activity('reconcilePage', reconcilePage);

/** The workflow of the reconcile, for the timer and for operations. */
export interface ReconcileWorkflow {
  /** @returns whether it was started; while one runs nothing is. */
  start(): Promise<boolean>;
}

export const reconcileWorkflow = (durable: Instances): ReconcileWorkflow => ({
  start: () => durable.start(ORCHESTRATION, INSTANCE, {}),
});

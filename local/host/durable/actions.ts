import { z } from 'zod';

const retryOptions = z.object({
  firstRetryIntervalInMilliseconds: z.number(),
  maxNumberOfAttempts: z.number(),
  backoffCoefficient: z.number().optional(),
  maxRetryIntervalInMilliseconds: z.number().optional(),
  retryTimeoutInMilliseconds: z.number().optional(),
});

/** How often and how fast a failed activity or sub-orchestration is tried again. */
export type RetryOptions = z.output<typeof retryOptions>;

const callActivity = z.object({ functionName: z.string(), input: z.unknown().optional() });
const callSubOrchestrator = z.object({
  functionName: z.string(),
  instanceId: z.string().optional(),
  input: z.unknown().optional(),
  version: z.string().optional(),
});
const entity = z.object({ instanceId: z.string(), operation: z.string() });

/** One thing an orchestrator asked for, as `durable-functions` reports it. */
export type Action =
  | { actionType: 0; functionName: string; input?: unknown }
  | { actionType: 1; functionName: string; input?: unknown; retryOptions: RetryOptions }
  | { actionType: 2; functionName: string; instanceId?: string; input?: unknown; version?: string }
  | {
      actionType: 3;
      functionName: string;
      instanceId?: string;
      input?: unknown;
      version?: string;
      retryOptions: RetryOptions;
    }
  | { actionType: 4; input?: unknown }
  | { actionType: 5; fireAt: string; isCanceled: boolean }
  | { actionType: 6; externalEventName: string }
  | { actionType: 7 | 9; instanceId: string; operation: string }
  | { actionType: 8 | 10 | 13 | 14 }
  | { actionType: 11 | 12; compoundActions: Action[] };

const actionSchema: z.ZodType<Action> = z.lazy(() =>
  z.discriminatedUnion('actionType', [
    callActivity.extend({ actionType: z.literal(0) }),
    callActivity.extend({ actionType: z.literal(1), retryOptions }),
    callSubOrchestrator.extend({ actionType: z.literal(2) }),
    callSubOrchestrator.extend({ actionType: z.literal(3), retryOptions }),
    z.object({ actionType: z.literal(4), input: z.unknown().optional() }),
    z.object({ actionType: z.literal(5), fireAt: z.string(), isCanceled: z.boolean() }),
    z.object({ actionType: z.literal(6), externalEventName: z.string() }),
    entity.extend({ actionType: z.literal([7, 9]) }),
    z.object({ actionType: z.literal([8, 10, 13, 14]) }),
    z.object({ actionType: z.literal([11, 12]), compoundActions: z.array(actionSchema) }),
  ]),
);

const stateSchema = z.object({
  isDone: z.boolean(),
  actions: z.tuple([z.array(actionSchema)]),
  output: z.unknown().optional(),
  customStatus: z.unknown().optional(),
  error: z.string().optional(),
});

/** What an orchestrator function said at the end of an episode: all its actions since the start of the execution. */
export interface OrchestratorState {
  isDone: boolean;
  actions: Action[];
  output: unknown;
  customStatus: unknown;
  error: string | undefined;
}

/** Checks an orchestrator's result; throws where it is not what `durable-functions` writes. */
export function parseOrchestratorState(value: unknown): OrchestratorState {
  const { actions, error, isDone, output, customStatus } = stateSchema.parse(value);
  return { isDone, output, customStatus, error, actions: actions[0] };
}

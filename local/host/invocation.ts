import { randomUUID } from 'node:crypto';
import type {
  CoreInvocation,
  InvocationModel,
  InvocationRequest,
  InvocationResponse,
  RegisteredFunction,
  Registrations,
} from './functions-core';
import { levelOf } from './functions-core';
import { HostFailure } from './host-failure';
import type { Log } from './log';

/** What a trigger hands to the function it starts. */
export type TriggerInput = Omit<InvocationRequest, 'invocationId' | 'functionId'> & { invocationId?: string };

/** What a function gave back, in the protocol's form and as it was. */
export interface Invoked extends InvocationResponse {
  result: unknown;
}

/** Calls functions of the app as the worker does: arguments, hooks, handler, hooks, response. */
export interface Invoker {
  invoke(fn: RegisteredFunction, input: TriggerInput): Promise<Invoked>;
  /** Resolves when nothing runs any more, or false after so many milliseconds. */
  idle(withinMs: number): Promise<boolean>;
}

function run(registrations: Registrations, fn: RegisteredFunction, invocation: CoreInvocation): Promise<Invoked> {
  const model = registrations.programmingModel();
  if (!model) throw new HostFailure('The app registered no programming model; it must use @azure/functions v4.');
  const invocationModel = model.getInvocationModel(invocation);
  return runWithHooks(registrations, fn, invocation, invocationModel);
}

async function runWithHooks(
  registrations: Registrations,
  fn: RegisteredFunction,
  invocation: CoreInvocation,
  model: InvocationModel,
): Promise<Invoked> {
  const { context, inputs } = await model.getArguments();
  const shared = { hookData: {}, appHookData: registrations.appHookData, invocationContext: context };

  const before = { ...shared, functionCallback: fn.callback, inputs };
  invocation.state = 'preInvocationHooks';
  await registrations.runHooks('preInvocation', before);

  const after: typeof shared & { inputs: unknown[]; result: unknown; error: unknown } = {
    ...shared,
    inputs: before.inputs,
    result: null,
    error: null,
  };
  invocation.state = 'invocation';
  try {
    after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error;
  }
  invocation.state = 'postInvocationHooks';
  await registrations.runHooks('postInvocation', after);
  // whatever the app threw or a hook put in its place
  // eslint-disable-next-line @typescript-eslint/only-throw-error
  if (after.error !== null && after.error !== undefined) throw after.error;

  invocation.state = undefined;
  return { ...(await model.getResponse(context, after.result)), result: after.result };
}

/** Lines of one trace can be found together, whatever functions they come from. */
const traceOf = ({ traceContext }: TriggerInput): string =>
  traceContext === undefined ? '' : ` ${traceContext.traceParent.split('-')[1] ?? ''}`;

/** Makes the invoker of a loaded app. */
export function createInvoker(registrations: Registrations, log: Log): Invoker {
  let running = 0;
  let whenIdle: (() => void)[] = [];

  const finished = (): void => {
    running -= 1;
    if (running > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  };

  return {
    async invoke(fn, input) {
      const invocationId = input.invocationId ?? randomUUID();
      const invocation: CoreInvocation = {
        invocationId,
        request: { ...input, invocationId, functionId: fn.id },
        metadata: fn.metadata,
        state: undefined,
        log: (level, category, message) =>
          log(
            levelOf(level),
            category === 'user' ? `Function.${fn.name}.User` : `Function.${fn.name}`,
            `[${invocationId}${traceOf(input)}] ${message}`,
          ),
      };
      running += 1;
      try {
        return await run(registrations, fn, invocation);
      } finally {
        finished();
      }
    },
    idle(withinMs) {
      if (running === 0) return Promise.resolve(true);
      return new Promise((resolve) => {
        const limit = setTimeout(() => resolve(false), withinMs);
        whenIdle.push(() => {
          clearTimeout(limit);
          resolve(true);
        });
      });
    },
  };
}

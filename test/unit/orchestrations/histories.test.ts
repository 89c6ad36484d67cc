import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Requests wait for days, and a new version of the app takes them over where they stand: it must schedule what the old one scheduled, in
 * the same order and at the same times. Histories of every version that was ever deployed are kept under `test/golden/histories` and run
 * here through the real executor. A change that breaks one needs a new version in host.json and the old path beside the new one.
 */
type Callback = (...given: unknown[]) => unknown;
interface Model {
  getInvocationModel(init: unknown): {
    getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
    invokeFunction(context: unknown, inputs: unknown[], callback: Callback): Promise<unknown>;
    getResponse(context: unknown, result: unknown): Promise<{ returnValue?: Record<string, unknown> }>;
  };
}
interface Metadata {
  name: string;
  bindings: Record<string, { type: string }>;
}

const mockRegistered = new Map<string, { metadata: Metadata; callback: Callback }>();
const mockModel: { value?: Model } = {};

jest.mock(
  '@azure/functions-core',
  () => ({
    version: '0',
    hostVersion: '4',
    Disposable: class {},
    setProgrammingModel: (model: Model) => {
      mockModel.value = model;
    },
    getProgrammingModel: () => mockModel.value,
    registerFunction: (metadata: Metadata, callback: Callback) => {
      mockRegistered.set(metadata.name, { metadata, callback });
      return { dispose: () => undefined };
    },
    registerHook: () => ({ dispose: () => undefined }),
    log: () => undefined,
  }),
  { virtual: true },
);

interface HistoryEvent {
  EventType: number;
  EventId: number;
  Timestamp: string;
  Name?: string;
  Input?: string;
  FireAt?: string;
}
interface Action {
  actionType: number;
  functionName?: string;
  fireAt?: string;
  compoundActions?: Action[];
}
const EXECUTION_STARTED = 0;
const EXECUTION_COMPLETED = 1;
const TASK_SCHEDULED = 4;
const TIMER_CREATED = 10;
const CONTINUE_AS_NEW = 4;

const root = join(__dirname, '../../golden/histories');
const histories = readdirSync(root).flatMap((version) =>
  readdirSync(join(root, version)).map((file) => [version, file] as const),
);

beforeAll(async () => {
  await import('../../../orchestrations/join-request');
  await import('../../../orchestrations/grant');
  await import('../../../orchestrations/group-change');
  await import('../../../orchestrations/group-life');
  await import('../../../orchestrations/ownerless');
  await import('../../../orchestrations/reconcile');
});

/** Runs the orchestrator over the whole history. */
async function replay(
  instanceId: string,
  history: readonly HistoryEvent[],
): Promise<{ isDone: boolean; actions: Action[] }> {
  const started = history.find(({ EventType }) => EventType === EXECUTION_STARTED);
  const registered = mockRegistered.get(started?.Name ?? '');
  if (started === undefined || registered === undefined || mockModel.value === undefined)
    throw new Error(`there is no orchestration ${String(started?.Name)} any more`);
  const { metadata, callback } = registered;
  const trigger = Object.entries(metadata.bindings).find(([, { type }]) => type === 'orchestrationTrigger')?.[0] ?? '';
  const input = {
    history,
    input: started.Input === undefined ? null : (JSON.parse(started.Input) as unknown),
    instanceId,
    isReplaying: false,
    parentInstanceId: null,
    sourceInstanceId: null,
    upperSchemaVersion: 1,
    upperSchemaVersionNew: 3,
    longRunningTimerIntervalDuration: '3.00:00:00',
    maximumShortTimerDuration: '6.00:00:00',
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  };
  const invocation = mockModel.value.getInvocationModel({
    invocationId: 'replay',
    metadata,
    state: undefined,
    log: () => undefined,
    request: {
      invocationId: 'replay',
      functionId: metadata.name,
      inputData: [{ name: trigger, data: { string: JSON.stringify(input) } }],
      triggerMetadata: {},
    },
  });
  const { context, inputs } = await invocation.getArguments();
  const result = await invocation.invokeFunction(context, inputs, callback);
  const { returnValue = {} } = await invocation.getResponse(context, result);
  const text = returnValue['string'] ?? returnValue['json'];
  const state = (typeof text === 'string' ? JSON.parse(text) : text) as { isDone: boolean; actions: Action[][] };
  return { isDone: state.isDone, actions: state.actions.flat() };
}

const scheduledBy = (actions: readonly Action[]): string[] =>
  actions.flatMap(({ functionName, fireAt, compoundActions, actionType }) => {
    if (compoundActions !== undefined) return scheduledBy(compoundActions);
    if (functionName !== undefined) return [`activity ${functionName}`];
    if (fireAt !== undefined) return [`timer ${new Date(fireAt).toISOString()}`];
    return actionType === CONTINUE_AS_NEW ? ['afresh'] : [];
  });

const scheduledIn = (history: readonly HistoryEvent[]): string[] =>
  history.flatMap(({ EventType, Name, FireAt }) => {
    if (EventType === TASK_SCHEDULED) return [`activity ${String(Name)}`];
    return EventType === TIMER_CREATED ? [`timer ${new Date(FireAt ?? '').toISOString()}`] : [];
  });

test('there are histories of the version in host.json', () => {
  const { extensions } = JSON.parse(readFileSync(join(__dirname, '../../../host.json'), 'utf8')) as {
    extensions: { durableTask: { defaultVersion: string } };
  };
  expect(histories.map(([version]) => version)).toContain(extensions.durableTask.defaultVersion);
});

test.each(histories)('%s/%s is gone through as it was', async (version, file) => {
  const { instanceId, history } = JSON.parse(readFileSync(join(root, version, file), 'utf8')) as {
    instanceId: string;
    history: HistoryEvent[];
  };
  const { isDone, actions } = await replay(instanceId, history);
  expect(scheduledBy(actions)).toEqual(scheduledIn(history));
  expect(isDone).toBe(history.some(({ EventType }) => EventType === EXECUTION_COMPLETED));
});

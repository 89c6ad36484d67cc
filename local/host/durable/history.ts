/** Kinds of history events, numbered as the durable extension numbers them. */
export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventRaised: 15,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
} as const;

type Of<T extends keyof typeof EventType, Fields = unknown> = {
  EventType: (typeof EventType)[T];
  EventId: number;
  IsPlayed: boolean;
  Timestamp: string;
} & Fields;

/** The instance and task that wait for a sub-orchestration. */
export interface Parent {
  name: string;
  instanceId: string;
  executionId: string;
  taskId: number;
}

export type HistoryEvent =
  | Of<'ExecutionStarted', ExecutionStartedFields>
  | Of<'ExecutionCompleted', { OrchestrationStatus: string; Result: string | null; FailureDetails: null }>
  | Of<'ExecutionTerminated', { Input: string }>
  | Of<'TaskScheduled', { Name: string; Version: ''; Input: null; ParentTraceContext: null; Tags: null }>
  | Of<'TaskCompleted', { TaskScheduledId: number; Result: string | null }>
  | Of<'TaskFailed', Failure>
  | Of<'SubOrchestrationInstanceCreated', SubOrchestrationFields>
  | Of<'SubOrchestrationInstanceCompleted', { TaskScheduledId: number; Result: string | null }>
  | Of<'SubOrchestrationInstanceFailed', Failure>
  | Of<'TimerCreated', { FireAt: string }>
  | Of<'TimerFired', { TimerId: number; FireAt: string }>
  | Of<'OrchestratorStarted'>
  | Of<'OrchestratorCompleted'>
  | Of<'EventRaised', { Name: string; Input: string; ParentTraceContext: null }>
  | Of<'ExecutionSuspended', { Reason: string }>
  | Of<'ExecutionResumed', { Reason: string }>;

interface Failure {
  TaskScheduledId: number;
  Reason: string;
  Details: string;
  FailureDetails: null;
}

interface SubOrchestrationFields {
  Name: string;
  Version: string | null;
  InstanceId: string;
  Input: null;
  ClientSpanId: null;
  Tags: null;
}

interface ExecutionStartedFields {
  OrchestrationInstance: { InstanceId: string; ExecutionId: string };
  ParentInstance: ParentInstance | null;
  Name: string;
  Version: string | null;
  /** JSON text. */
  Input: string | null;
  Tags: null;
  Correlation: null;
  ParentTraceContext: null;
  ScheduledStartTime: null;
  Generation: number;
  GenerateNewTrace: false;
}

interface ParentInstance {
  Name: string;
  OrchestrationInstance: { InstanceId: string; ExecutionId: string };
  TaskScheduleId: number;
  Version: null;
}

export type EventOf<T extends keyof typeof EventType> = Extract<HistoryEvent, { EventType: (typeof EventType)[T] }>;

/** Names of event types by their number, for the management API. */
export const EVENT_TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(EventType).map(([name, value]) => [value, name]),
);

const base = (timestamp: number): { EventId: number; IsPlayed: boolean; Timestamp: string } => ({
  EventId: -1,
  IsPlayed: false,
  Timestamp: new Date(timestamp).toISOString(),
});

/** Who runs under which name, version and input: the first event of an execution. */
export interface Start {
  name: string;
  version: string | null;
  instanceId: string;
  executionId: string;
  /** JSON text. */
  input: string | null;
  parent: Parent | null;
}

/** Makers of history events; every time is in milliseconds since 1970. */
export const events = {
  executionStarted: (at: number, start: Start): EventOf<'ExecutionStarted'> => ({
    OrchestrationInstance: { InstanceId: start.instanceId, ExecutionId: start.executionId },
    EventType: EventType.ExecutionStarted,
    ParentInstance: start.parent && {
      Name: start.parent.name,
      OrchestrationInstance: { InstanceId: start.parent.instanceId, ExecutionId: start.parent.executionId },
      TaskScheduleId: start.parent.taskId,
      Version: null,
    },
    Name: start.name,
    Version: start.version,
    Input: start.input,
    Tags: null,
    Correlation: null,
    ParentTraceContext: null,
    ScheduledStartTime: null,
    Generation: 0,
    GenerateNewTrace: false,
    ...base(at),
  }),
  executionCompleted: (at: number, status: string, result: string | null): HistoryEvent => ({
    EventType: EventType.ExecutionCompleted,
    OrchestrationStatus: status,
    Result: result,
    FailureDetails: null,
    ...base(at),
  }),
  executionTerminated: (at: number, reason: string): HistoryEvent => ({
    EventType: EventType.ExecutionTerminated,
    Input: reason,
    ...base(at),
  }),
  executionSuspended: (at: number, reason: string): HistoryEvent => ({
    EventType: EventType.ExecutionSuspended,
    Reason: reason,
    ...base(at),
  }),
  executionResumed: (at: number, reason: string): HistoryEvent => ({
    EventType: EventType.ExecutionResumed,
    Reason: reason,
    ...base(at),
  }),
  taskScheduled: (at: number, id: number, name: string): HistoryEvent => ({
    EventType: EventType.TaskScheduled,
    Name: name,
    Version: '',
    Input: null,
    ParentTraceContext: null,
    Tags: null,
    ...base(at),
    EventId: id,
  }),
  taskCompleted: (at: number, taskId: number, result: string | null): HistoryEvent => ({
    EventType: EventType.TaskCompleted,
    TaskScheduledId: taskId,
    Result: result,
    ...base(at),
  }),
  taskFailed: (at: number, taskId: number, reason: string, details: string): HistoryEvent => ({
    EventType: EventType.TaskFailed,
    TaskScheduledId: taskId,
    Reason: reason,
    Details: details,
    FailureDetails: null,
    ...base(at),
  }),
  subOrchestrationCreated: (
    at: number,
    id: number,
    name: string,
    version: string | null,
    instanceId: string,
  ): HistoryEvent => ({
    EventType: EventType.SubOrchestrationInstanceCreated,
    Name: name,
    Version: version,
    InstanceId: instanceId,
    Input: null,
    ClientSpanId: null,
    Tags: null,
    ...base(at),
    EventId: id,
  }),
  subOrchestrationCompleted: (at: number, taskId: number, result: string | null): HistoryEvent => ({
    EventType: EventType.SubOrchestrationInstanceCompleted,
    TaskScheduledId: taskId,
    Result: result,
    ...base(at),
  }),
  subOrchestrationFailed: (at: number, taskId: number, reason: string, details: string): HistoryEvent => ({
    EventType: EventType.SubOrchestrationInstanceFailed,
    TaskScheduledId: taskId,
    Reason: reason,
    Details: details,
    FailureDetails: null,
    ...base(at),
  }),
  timerCreated: (at: number, id: number, fireAt: number): HistoryEvent => ({
    EventType: EventType.TimerCreated,
    FireAt: new Date(fireAt).toISOString(),
    ...base(at),
    EventId: id,
  }),
  timerFired: (at: number, timerId: number, fireAt: number): HistoryEvent => ({
    EventType: EventType.TimerFired,
    TimerId: timerId,
    FireAt: new Date(fireAt).toISOString(),
    ...base(at),
  }),
  orchestratorStarted: (at: number): HistoryEvent => ({ EventType: EventType.OrchestratorStarted, ...base(at) }),
  orchestratorCompleted: (at: number): HistoryEvent => ({ EventType: EventType.OrchestratorCompleted, ...base(at) }),
  eventRaised: (at: number, name: string, input: string): HistoryEvent => ({
    EventType: EventType.EventRaised,
    Name: name,
    Input: input,
    ParentTraceContext: null,
    ...base(at),
  }),
};

const MESSAGES: ReadonlySet<number> = new Set([
  EventType.ExecutionStarted,
  EventType.ExecutionTerminated,
  EventType.TaskCompleted,
  EventType.TaskFailed,
  EventType.SubOrchestrationInstanceCompleted,
  EventType.SubOrchestrationInstanceFailed,
  EventType.TimerFired,
  EventType.EventRaised,
  EventType.ExecutionSuspended,
  EventType.ExecutionResumed,
]);

/** The event as later episodes see it: what came from outside has been played, what the episode itself wrote never counts as played. */
export function asPlayed(event: HistoryEvent): HistoryEvent {
  return MESSAGES.has(event.EventType) ? { ...event, IsPlayed: true } : event;
}

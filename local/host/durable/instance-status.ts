import type { HistoryEvent } from './history';
import { EVENT_TYPE_NAMES, EventType } from './history';
import type { Instance } from './store';

/** The parts of a status that a query can leave out. */
export interface StatusOptions {
  showInput: boolean;
  showHistory: boolean;
  showHistoryOutput: boolean;
}

/** A stored text as JSON, or as itself where it is none. */
function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function toSecond(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** The status of an instance as the extension's HTTP API gives it. */
export function statusOf(
  instance: Instance,
  options: StatusOptions,
  history: readonly HistoryEvent[] = [],
): Record<string, unknown> {
  return {
    name: instance.name,
    ...(instance.version !== null && { version: instance.version }),
    instanceId: instance.id,
    ...(instance.parent && { parentInstanceId: instance.parent.instanceId }),
    runtimeStatus: instance.status,
    input: options.showInput ? parsed(instance.input) : null,
    customStatus: parsed(instance.customStatus),
    output: parsed(instance.output),
    createdTime: toSecond(instance.created),
    lastUpdatedTime: toSecond(instance.updated),
    ...(options.showHistory && { historyEvents: shownHistory(history, options) }),
  };
}

const HIDDEN: ReadonlySet<number> = new Set([
  EventType.OrchestratorStarted,
  EventType.OrchestratorCompleted,
  EventType.TaskScheduled,
  EventType.SubOrchestrationInstanceCreated,
]);

/** History as the API shows it: without the framework's own events, results beside the names of what gave them. */
function shownHistory(history: readonly HistoryEvent[], options: StatusOptions): Record<string, unknown>[] {
  const scheduled = new Map<number, { name: string; at: string }>();
  const shown: Record<string, unknown>[] = [];
  for (const event of history) {
    if (event.EventType === EventType.TaskScheduled || event.EventType === EventType.SubOrchestrationInstanceCreated) {
      scheduled.set(event.EventId, { name: event.Name, at: event.Timestamp });
    }
    if (!HIDDEN.has(event.EventType)) shown.push(shownEvent(event, scheduled, options));
  }
  return shown;
}

function shownEvent(
  event: HistoryEvent,
  scheduled: ReadonlyMap<number, { name: string; at: string }>,
  { showInput, showHistoryOutput }: StatusOptions,
): Record<string, unknown> {
  const { EventId: _id, IsPlayed: _played, ...rest } = event;
  const common = { ...rest, EventType: EVENT_TYPE_NAMES.get(event.EventType) };
  switch (event.EventType) {
    case EventType.ExecutionStarted: {
      const {
        OrchestrationInstance: _instance,
        ParentInstance: _parent,
        Name,
        Version: _version,
        Tags: _tags,
        ...started
      } = event;
      const { EventId: _e, IsPlayed: _p, Input, ...fields } = started;
      return { ...fields, EventType: 'ExecutionStarted', ...(showInput && { Input }), FunctionName: Name };
    }
    case EventType.ExecutionCompleted:
      return withResult(common, event.Result, showHistoryOutput);
    case EventType.TaskCompleted:
    case EventType.SubOrchestrationInstanceCompleted:
    case EventType.TaskFailed:
    case EventType.SubOrchestrationInstanceFailed: {
      const { TaskScheduledId: id, ...fields } = { ...common, TaskScheduledId: event.TaskScheduledId };
      const task = scheduled.get(id);
      const named = {
        ...fields,
        ...(task && { ScheduledTime: task.at.replace('Z', '+00:00'), FunctionName: task.name }),
        ...(showInput && { Input: null }),
      };
      return 'Result' in event ? withResult(named, event.Result, showHistoryOutput) : named;
    }
    case EventType.TimerFired: {
      const { TimerId: _timer, ...fields } = { ...common, TimerId: event.TimerId };
      return fields;
    }
    default:
      return common;
  }
}

function withResult(event: Record<string, unknown>, result: string | null, show: boolean): Record<string, unknown> {
  const { Result: _result, ...fields } = event;
  return show ? { ...fields, Result: parsed(result) } : fields;
}

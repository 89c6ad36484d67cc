import { AsyncLocalStorage } from 'node:async_hooks';

import { inTrace } from './tracing';

/** Where a line goes that belongs to what runs now: the invocation's log. */
export interface Sink {
  log(line: string): void;
  warn?(line: string): void;
  /** The invocation's place in a trace, as the host gave it. */
  traceContext?: { traceParent?: string | null } | undefined;
}

const running = new AsyncLocalStorage<Sink>();

/** Runs `work`, whose telemetry goes to this invocation's log and which is a part of its trace. */
export const within = <T>(sink: Sink, work: () => T): T =>
  running.run(sink, () => inTrace(sink.traceContext?.traceParent, work));

/**
 * Logs `name {json}`, which alerts and the workbook read (infra/README.md lists the names and their fields). No personal data: ids of
 * requests, kinds, results, counts.
 */
export function event(name: string, fields: Record<string, string | number | boolean>): void {
  running.getStore()?.log(`${name} ${JSON.stringify(fields)}`);
}

/** Logs a warning of what runs now. No personal data. */
export function warning(line: string): void {
  running.getStore()?.warn?.(line);
}

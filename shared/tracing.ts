import { AsyncLocalStorage } from 'node:async_hooks';

import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { Context, ContextManager, SpanContext, TextMapPropagator } from '@opentelemetry/api';

// The host writes the traces and hands each invocation its place in one; the worker has no OpenTelemetry SDK, which would cost more of a
// cold start than the whole app. What is here only carries that place on: the durable client sends it along when it starts an orchestration
// (https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-diagnostics#distributed-tracing). An SDK that was loaded
// before keeps its own.

/** `traceparent` of W3C Trace Context: version, trace, span, flags. */
const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

function parse(traceParent: string | null | undefined): SpanContext | undefined {
  const [, traceId = '', spanId = '', flags = ''] = TRACE_PARENT.exec(traceParent ?? '') ?? [];
  const found = { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true };
  return trace.isSpanContextValid(found) ? found : undefined;
}

const format = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;

class AsyncContexts implements ContextManager {
  private readonly running = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.running.getStore() ?? ROOT_CONTEXT;
  }
  with<Args extends unknown[], Work extends (...args: Args) => ReturnType<Work>>(
    active: Context,
    work: Work,
    thisArg?: ThisParameterType<Work>,
    ...args: Args
  ): ReturnType<Work> {
    return this.running.run(active, () => work.apply(thisArg, args));
  }
  bind<Target>(active: Context, target: Target): Target {
    if (typeof target !== 'function') return target;
    const work = target as unknown as (...args: unknown[]) => unknown;
    return ((...args: unknown[]): unknown => this.running.run(active, () => work(...args))) as Target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}

const traceContext: TextMapPropagator = {
  inject: (active, carrier, setter) => {
    const span = trace.getSpanContext(active);
    if (span !== undefined && trace.isSpanContextValid(span)) setter.set(carrier, 'traceparent', format(span));
  },
  extract: (active, carrier, getter) => {
    const given = getter.get(carrier, 'traceparent');
    const span = parse(Array.isArray(given) ? given[0] : given);
    return span === undefined ? active : trace.setSpanContext(active, span);
  },
  fields: () => ['traceparent'],
};

context.setGlobalContextManager(new AsyncContexts());
propagation.setGlobalPropagator(traceContext);

/** Runs `work` as a part of the trace that this `traceparent` names; one that is absent or malformed changes nothing. */
export function inTrace<T>(traceParent: string | null | undefined, work: () => T): T {
  const span = parse(traceParent);
  return span === undefined ? work() : context.with(trace.setSpanContext(context.active(), span), work);
}

/** The `traceparent` of what runs now, to go on with later. */
export function traceParent(): string | undefined {
  const span = trace.getSpanContext(context.active());
  return span === undefined ? undefined : format(span);
}

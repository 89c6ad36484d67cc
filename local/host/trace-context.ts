import { randomBytes } from 'node:crypto';

import type { InvocationRequest } from './functions-core';

/** An invocation's place in a trace, as the host hands it to the worker. */
export type TraceContext = NonNullable<InvocationRequest['traceContext']>;

const TRACE_PARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/**
 * A new place below `traceParent` (W3C Trace Context, `00-{trace}-{span}-{flags}`), or in a trace of its own where there is none. The host
 * itself writes no traces: nothing here reads them.
 */
export function placeBelow(traceParent: string | undefined, traceState = ''): TraceContext {
  const [, trace = randomBytes(16).toString('hex'), flags = '01'] = TRACE_PARENT.exec(traceParent ?? '') ?? [];
  return { traceParent: `00-${trace}-${randomBytes(8).toString('hex')}-${flags}`, traceState, attributes: {} };
}

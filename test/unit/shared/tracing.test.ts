import { context, propagation } from '@opentelemetry/api';

import { inTrace, traceParent } from '../../../shared/tracing';

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

test('what runs in a trace knows it, also after it waited, and what runs beside it does not', async () => {
  const inside = inTrace(PARENT, async () => {
    await new Promise(setImmediate);
    return traceParent();
  });
  expect(traceParent()).toBeUndefined();
  expect(await inside).toBe(PARENT);
});

test('the durable client finds it where it looks: OpenTelemetry gives it as a header', () => {
  const headers: Record<string, string> = {};
  inTrace(PARENT, () => {
    propagation.inject(context.active(), headers);
  });
  expect(headers).toEqual({ traceparent: PARENT });
  propagation.inject(context.active(), headers);
  expect(headers).toEqual({ traceparent: PARENT });
});

test.each([
  undefined,
  null,
  '',
  'garbage',
  '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
  `${PARENT}\r\nx: y`,
  '01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
])('a trace that is none, %j, changes nothing', (given) => {
  inTrace(given, () => {
    expect(traceParent()).toBeUndefined();
  });
  inTrace(PARENT, () =>
    inTrace(given, () => {
      expect(traceParent()).toBe(PARENT);
    }),
  );
});

test('what was bound to a trace runs in it', () => {
  const bound = inTrace(PARENT, () => context.bind(context.active(), () => traceParent()));
  expect(bound()).toBe(PARENT);
});

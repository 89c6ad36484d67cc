import { app } from '@azure/functions';
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import * as df from 'durable-functions';
import type { DurableClient, OrchestrationContext } from 'durable-functions';

// One small orchestration for each durable feature, and one HTTP function for each shape of request. It is built and run by the
// tests in test/http/host, which compare what it does with expected.json.

type Steps = Generator<df.Task, unknown, unknown>;
const SECOND = 1000;
const DAY = 86_400 * SECOND;

/** The file that NOTES names gets a line for each thing that happened, across restarts. */
const note = (line: string): void => {
  if (process.env['NOTES']) appendFileSync(process.env['NOTES'], `${line}\n`);
};

interface RecordedEvent {
  EventType: number;
  EventId: number;
  TaskScheduledId?: number;
  TimerId?: number;
  Name?: string;
  Version?: string | null;
}

const started = new Map<string, RecordedEvent[]>();
const describe = (event: RecordedEvent): string => {
  const of = event.TaskScheduledId ?? event.TimerId;
  const id = event.EventId >= 0 ? `#${event.EventId}` : '';
  return [event.EventType + id, of === undefined ? '' : `of#${of}`, event.Name ?? '']
    .filter((part) => part !== '')
    .join(' ');
};

app.hook.preInvocation(({ inputs, invocationContext }) => {
  if (invocationContext.options.trigger.type !== 'orchestrationTrigger') return;
  const { instanceId, history } = inputs[0] as { instanceId: string; history: RecordedEvent[] };
  started.set(instanceId, history);
  if (started.size > 100) started.delete(String(started.keys().next().value));
});
app.hook.appStart(() => note('appStart'));
app.hook.appTerminate(() => note('appTerminate'));

df.app.activity('echo', { handler: (input: unknown) => input });
df.app.activity('fail', {
  handler: (input: string) => {
    throw new Error(`can't ${input}`);
  },
});
const attempts = new Map<string, number>();
df.app.activity('failTwice', {
  handler: (key: string) => {
    const attempt = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, attempt);
    if (attempt <= 2) throw new Error(`attempt ${attempt}`);
    return attempt;
  },
});
df.app.activity('slow', {
  handler: async ({ name, ms }: { name: string; ms: number }) => {
    note(`begin ${name}`);
    await pause(ms);
    note(`end ${name}`);
    return name;
  },
});
df.app.activity('count', { handler: ({ step, of }: { step: number; of: string }) => note(`step ${of} ${step}`) });

const orchestrations: Record<string, (context: OrchestrationContext) => Steps> = {
  *sequence({ df }) {
    const first = yield df.callActivity('echo', { step: 1 });
    const second = yield df.callActivity('echo', 'two');
    const third = yield df.callActivity('echo', 3);
    return [first, second, third, df.getInput()];
  },
  *parallel({ df }) {
    return yield df.Task.all([3, 2, 1].map((n) => df.callActivity('slow', { name: `p${n}`, ms: n * 20 })));
  },
  *caught({ df }) {
    try {
      yield df.callActivity('fail', 'do it');
    } catch (error) {
      return (error as Error).message.split('\n')[0];
    }
  },
  *uncaught({ df }) {
    yield df.callActivity('fail', 'do it');
  },
  *oneOfAllFails({ df }) {
    try {
      yield df.Task.all([df.callActivity('fail', 'a'), df.callActivity('slow', { name: 'b', ms: 150 })]);
    } catch {
      return yield df.callActivity('echo', 'after');
    }
  },
  *retried({ df }) {
    return yield df.callActivityWithRetry('failTwice', retry(20, 3), df.instanceId);
  },
  *retriedInVain({ df }) {
    try {
      yield df.callActivityWithRetry('fail', retry(20, 2), 'x');
    } catch {
      return yield df.callActivity('echo', 'gave up');
    }
  },
  *retriedTogether({ df }) {
    return yield df.Task.all(
      ['a', 'b'].map((key) => df.callActivityWithRetry('failTwice', retry(10, 3), key + df.instanceId)),
    );
  },
  *child({ df }) {
    return yield df.callActivity('echo', df.getInput());
  },
  *failingChild({ df }) {
    yield df.callActivity('echo', 1);
    throw new Error('child gave up');
  },
  *parent({ df }) {
    return yield df.callSubOrchestrator('child', 'text for the child', `${df.instanceId}-child`);
  },
  *parentOfUnnamed({ df }) {
    return yield df.callSubOrchestrator('child', { n: 1 });
  },
  *parentOfFailing({ df }) {
    try {
      yield df.callSubOrchestratorWithRetry('failingChild', retry(10, 2), null, `${df.instanceId}-child`);
    } catch (error) {
      return (error as Error).message.split('\n')[0];
    }
  },
  *eventsInAnyOrder({ df }) {
    const first = yield df.waitForExternalEvent('first');
    const second = yield df.waitForExternalEvent('second');
    return [first, second];
  },
  *decision({ df }) {
    const { ms } = df.getInput<{ ms: number }>();
    const timer = df.createTimer(new Date(df.currentUtcDateTime.getTime() + ms));
    const event = df.waitForExternalEvent('decision');
    df.setCustomStatus({ waiting: true });
    const winner = yield df.Task.any([event, timer]);
    if (winner !== event) return 'late';
    timer.cancel();
    return yield df.callActivity('echo', event.result);
  },
  *forgottenTimer({ df }) {
    const timer = df.createTimer(new Date(df.currentUtcDateTime.getTime() + DAY));
    const event = df.waitForExternalEvent('go');
    yield df.Task.any([event, timer]);
    return 'done';
  },
  *longTimer({ df }) {
    const timer = df.createTimer(new Date(df.currentUtcDateTime.getTime() + 14 * DAY));
    const event = df.waitForExternalEvent('decision');
    const winner = yield df.Task.any([event, timer]);
    if (winner === event) timer.cancel();
    yield df.callActivity('echo', 'next');
    return { by: winner === event ? 'event' : 'timer', at: df.currentUtcDateTime };
  },
  *timersInOrder({ df }) {
    const { hours } = df.getInput<{ hours: number[] }>();
    const start = df.currentUtcDateTime.getTime();
    const fired: number[] = [];
    for (const hour of hours) {
      const due = new Date(start + hour * 3_600_000);
      yield df.createTimer(due);
      fired.push(df.currentUtcDateTime.getTime() - due.getTime());
    }
    return fired;
  },
  *counts({ df }) {
    const n = df.getInput<number>();
    df.setCustomStatus(n);
    yield df.callActivity('echo', n);
    if (n < 3) return df.continueAsNew(n + 1);
    return n;
  },
  *stepByStep({ df }) {
    const { steps } = df.getInput<{ steps: number }>();
    for (let step = 0; step < steps; step += 1) {
      yield df.callActivity('count', { step, of: df.instanceId });
      yield df.createTimer(new Date(df.currentUtcDateTime.getTime() + 5));
    }
    return steps;
  },
  *versioned({ df }) {
    yield df.callActivity('echo', 1);
    return df.version;
  },
  *callsUnknown({ df }) {
    yield df.callActivity('noSuchActivity', 1);
  },
  *callsEntity({ df }) {
    yield df.callEntity(new (entityId())('counter', 'k'), 'add', 1);
  },
  *callsHttp({ df }) {
    yield df.callHttp({ method: 'GET', url: 'http://127.0.0.1:1/' });
  },
};
for (const [name, steps] of Object.entries(orchestrations))
  df.app.orchestration(name, steps as df.OrchestrationHandler);

function retry(ms: number, attemptsAtMost: number): df.RetryOptions {
  return new df.RetryOptions(ms, attemptsAtMost);
}
function entityId(): typeof df.EntityId {
  return df.EntityId;
}

const client = { extraInputs: [df.input.durableClient()] };
app.http('start', {
  route: 'start/{name}/{id?}',
  methods: ['POST'],
  authLevel: 'anonymous',
  ...client,
  handler: async (request, context): Promise<HttpResponseInit> => {
    const { name = '', id } = request.params;
    const version = request.query.get('version');
    const options = {
      input: await request.json(),
      ...(id !== undefined && { instanceId: id }),
      ...(version !== null && { version }),
    };
    try {
      const started = await df.getClient(context).startNew(name, options);
      return { jsonBody: df.getClient(context).createHttpManagementPayload(started) };
    } catch (error) {
      return { status: 409, jsonBody: { error: (error as Error).message } };
    }
  },
});
app.http('startMany', {
  route: 'start-many/{name}/{count:int}',
  methods: ['POST'],
  authLevel: 'anonymous',
  ...client,
  handler: async (request, context) => {
    const { name = '', count } = request.params;
    const input: unknown = await request.json();
    const durable = df.getClient(context);
    const every = Array.from({ length: Number(count) }, (_, n) => n);
    const startOne = (n: number): Promise<string> => durable.startNew(name, { instanceId: `${name}-${n}`, input });
    while (every.length > 0) await Promise.all(every.splice(0, 20).map(startOne));
    return { jsonBody: { started: Number(count) } };
  },
});
app.http('memory', {
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: () => ({ jsonBody: process.memoryUsage.rss() }),
});
app.http('history', {
  route: 'history/{id}',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: (request) => ({ jsonBody: (started.get(request.params['id'] ?? '') ?? []).map(describe) }),
});
app.http('list', {
  methods: ['GET'],
  authLevel: 'anonymous',
  ...client,
  handler: async (_request, context) => {
    const durable: DurableClient = df.getClient(context);
    const all = await durable.getStatusBy({ runtimeStatus: [df.OrchestrationRuntimeStatus.Completed] });
    return { jsonBody: all.map(({ instanceId }) => instanceId) };
  },
});

const shown = async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
  const bytes = Buffer.from(await request.arrayBuffer());
  context.log(`called\nby ${request.method}`);
  return {
    jsonBody: {
      fn: context.functionName,
      method: request.method,
      url: request.url,
      params: request.params,
      query: Object.fromEntries(request.query),
      type: request.headers.get('content-type'),
      body: bytes.toString('base64'),
    },
  };
};
const show = (name: string, route: string, methods: ('GET' | 'POST' | 'PUT' | 'HEAD')[] = ['GET', 'POST']): void =>
  app.http(name, { route, methods, authLevel: 'anonymous', handler: shown });
show('thing', 'things/{id}');
show('newThing', 'things/new');
show('thingByNumber', 'things/{number:int}');
show('thingByGuid', 'things/{id:guid}');
show('thingPart', 'things/{id}/parts/{part?}');
show('anyFile', 'files/{*path}');
show('readable', 'readable', ['GET', 'HEAD']);
show('bodies', 'bodies', ['POST', 'PUT']);
app.http('keyed', { methods: ['GET'], authLevel: 'function', handler: () => ({ body: 'in' }) });
app.http('adminOnly', { methods: ['GET'], authLevel: 'admin', handler: () => ({ body: 'in' }) });
app.http('cookies', {
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: () => ({
    cookies: [
      { name: 'a', value: 'one two', maxAge: 60, secure: true, httpOnly: true, sameSite: 'Strict' },
      { name: 'b', value: '2', path: '/x', sameSite: 'None' },
    ],
  }),
});
app.http('binary', {
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: () => ({ status: 201, headers: { 'content-type': 'image/x' }, body: Buffer.from([0, 255, 128, 10]) }),
});
app.http('nothing', { methods: ['GET'], authLevel: 'anonymous', handler: (): HttpResponseInit => undefined as never });
app.http('throws', {
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: () => {
    throw new Error('line one\nline two');
  },
});
app.http('held', {
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async (request) => {
    const file = request.query.get('until') ?? '';
    note(`held ${request.query.get('n') ?? ''}`);
    while (!existsSync(file)) await pause(10);
    return { body: 'let go' };
  },
});
app.http('environment', {
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: () => ({
    jsonBody: Object.fromEntries(
      ['WEBSITE_HOSTNAME', 'FUNCTIONS_WORKER_RUNTIME', 'AZURE_FUNCTIONS_ENVIRONMENT', 'FROM_SETTINGS', 'FROM_BOTH'].map(
        (name) => [name, process.env[name]],
      ),
    ),
  }),
});
app.http('stray', {
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: () => {
    setTimeout(() => void Promise.reject(new Error('nobody catches this')), 1);
    return { status: 202 };
  },
});

app.timer('nightly', {
  schedule: '%NIGHTLY%',
  handler: async (timer) => {
    note(`nightly at ${new Date().toISOString()} pastDue ${timer.isPastDue}`);
    const until = process.env['NIGHTLY_UNTIL'];
    while (until && !existsSync(until)) await pause(10);
    note('nightly done');
  },
});
app.timer('atStart', { schedule: '0 0 0 1 1 *', runOnStartup: true, handler: () => note('atStart') });

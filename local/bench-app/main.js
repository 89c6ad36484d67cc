// The Functions app that `npm run bench:local` runs on the host alone: what it measures is the host's work, not the app's.
const { app } = require('@azure/functions');
const df = require('durable-functions');

// What orchestrations of each name have come to in this process: to their end, or to their wait.
const reached = { three: 0, waiting: 0 };
let watchers = [];

function arrive(name) {
  reached[name] += 1;
  watchers = watchers.filter((watch) => !watch());
}

df.app.activity('step', { handler: (n) => n + 1 });

df.app.orchestration('three', function* (context) {
  let n = yield context.df.callActivity('step', 0);
  n = yield context.df.callActivity('step', n);
  n = yield context.df.callActivity('step', n);
  // Its last episode is the only one that gets here.
  arrive('three');
  return n;
});

df.app.orchestration('waiting', function* (context) {
  const go = context.df.waitForExternalEvent('go');
  if (!context.df.isReplaying) arrive('waiting');
  return yield go;
});

const extraInputs = [df.input.durableClient()];

app.http('start', {
  route: 'start/{name}',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraInputs,
  handler: async (request, context) => {
    const id = await df.getClient(context).startNew(request.params.name);
    return { status: 202, jsonBody: { id } };
  },
});

app.http('startMany', {
  route: 'start/{name}/{count}',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraInputs,
  handler: async (request, context) => {
    const client = df.getClient(context);
    const starts = Array.from({ length: Number(request.params.count) }, () => client.startNew(request.params.name));
    return { status: 202, jsonBody: { ids: await Promise.all(starts) } };
  },
});

app.http('raise', {
  route: 'raise/{id}',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraInputs,
  handler: async (request, context) => {
    await df.getClient(context).raiseEvent(request.params.id, 'go', await request.text());
    return { status: 202 };
  },
});

app.http('status', {
  route: 'status/{id}',
  methods: ['GET'],
  authLevel: 'anonymous',
  extraInputs,
  handler: async (request, context) => {
    const { runtimeStatus, output } = await df.getClient(context).getStatus(request.params.id);
    return { jsonBody: { status: runtimeStatus, output } };
  },
});

app.http('reached', {
  route: 'reached/{name}',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: (request) => ({ jsonBody: reached[request.params.name] }),
});

// Answered when so many have: nobody has to ask again and again, which would be work for the host.
app.http('until', {
  route: 'until/{name}/{count}',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async (request) => {
    const { name, count } = request.params;
    const enough = () => reached[name] >= Number(count);
    if (!enough()) {
      await new Promise((resolve) => {
        watchers.push(() => {
          const done = enough();
          if (done) resolve();
          return done;
        });
      });
    }
    return { jsonBody: reached[name] };
  },
});

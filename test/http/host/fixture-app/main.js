// A Functions app for the tests of the host: an orchestration for each durable feature, an HTTP function for each shape of request.
const { app } = require('@azure/functions');
const durable = require('durable-functions');
const { appendFileSync, existsSync } = require('node:fs');
const { join } = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');

const { NOTES, GATES } = process.env;

/** Adds a line to the file that says what happened, across restarts of the host. */
const note = (...words) => appendFileSync(NOTES, `${words.join(' ')}\n`);

/** Notes that it stands at a gate, and passes when a file of that name is made. */
const pass = async (gate) => {
  note('at', gate);
  while (!existsSync(join(GATES, gate))) await pause(5);
};

durable.app.activity('join', { handler: ({ left, right }) => `${left}-${right}` });
durable.app.activity('square', { handler: ({ side }) => side * side });
durable.app.activity('gate', { handler: ({ gate }) => pass(gate) });
durable.app.activity('record', {
  handler: async ({ of, step }) => {
    note('begin', of, step);
    await pause(15);
    note('done', of, step);
    return `${of}/${step}`;
  },
});

const inMs = ({ df }, ms) => new Date(df.currentUtcDateTime.getTime() + ms);
durable.app.orchestration('spell', function* ({ df }) {
  df.setCustomStatus({ letters: 1 });
  const two = yield df.callActivity('join', { left: df.getInput().word, right: 'b' });
  df.setCustomStatus({ letters: 2 });
  return yield df.callActivity('join', { left: two, right: 'c' });
});

durable.app.orchestration('inner', function* ({ df }) {
  yield df.callActivity('square', { side: 2 });
  throw new Error(`No fruit for ${df.getInput().name}.`);
});

durable.app.orchestration('outer', function* ({ df }) {
  try {
    yield df.callSubOrchestrator('inner', { name: 'ann' }, `${df.instanceId}:inner`);
  } catch (error) {
    return { caught: error.message.split('\n')[0] };
  }
  return { caught: null };
});

// The event comes while the activity runs that the first timer led to.
durable.app.orchestration('interrupted', function* (context) {
  const { df } = context;
  const word = df.waitForExternalEvent('word');
  yield df.Task.any([word, df.createTimer(inMs(context, 20))]);
  yield df.callActivity('gate', { gate: df.instanceId });
  if (df.getInput().looks && word.isCompleted) return { word: word.result };
  const timer = df.createTimer(inMs(context, 20));
  return (yield df.Task.any([word, timer])) === timer ? { word: null } : { word: word.result };
});

durable.app.orchestration('pairs', function* ({ df }) {
  yield df.callActivity('gate', { gate: df.instanceId });
  const left = [yield df.waitForExternalEvent('left'), yield df.waitForExternalEvent('left')];
  return { left, right: yield df.waitForExternalEvent('right') };
});

durable.app.orchestration('gathers', function* ({ df }) {
  const kept = df.getInput();
  if (kept.length === 0) yield df.callActivity('gate', { gate: df.instanceId });
  kept.push(yield df.waitForExternalEvent('item'));
  if (kept.length < 3) return df.continueAsNew(kept);
  return kept;
});

durable.app.orchestration('tokens', function* ({ df }) {
  const first = df.newGuid(df.instanceId);
  const carried = yield df.callActivity('join', { left: first, right: df.newGuid(df.instanceId) });
  const third = df.newGuid(df.instanceId);
  return { first, carried, third };
});

durable.app.orchestration('ledger', function* (context) {
  const { df } = context;
  note('episode', df.instanceId);
  const pages = [];
  for (let step = 0; step < 6; step += 1) {
    pages.push(yield df.callActivity('record', { of: df.instanceId, step }));
    yield df.createTimer(inMs(context, 10));
  }
  const last = [6, 7].map((step) => df.callActivity('record', { of: df.instanceId, step }));
  return [...pages, ...(yield df.Task.all(last))];
});

const route = (name, path, handler, methods = ['GET'], authLevel = 'anonymous', more = {}) =>
  app.http(name, { route: path, methods, authLevel, handler, ...more });

route(
  'begin',
  'begin/{name}/{id}',
  async (request, context) => {
    const client = durable.getClient(context);
    const { name, id: instanceId } = request.params;
    await client.startNew(name, { instanceId, input: await request.json() });
    return { status: 202, jsonBody: client.createHttpManagementPayload(instanceId) };
  },
  ['POST'],
  'anonymous',
  { extraInputs: [durable.input.durableClient()] },
);

const showing = (request, { functionName }) => ({ jsonBody: { by: functionName, ...request.params } });
route('byNumber', 'trees/{number:int}', showing);
route('byLetters', 'trees/{letters:alpha:maxlength(5)}', showing);
route('byRange', 'rows/{row:range(1,12)}', showing);
route('list', 'trees/all', showing);
route('fruit', 'trees/{number:int}/fruit/{kind?}', showing);
route('rest', 'files/{*path}', showing);
route(
  'reversed',
  'reversed',
  async (request) => ({
    headers: { 'content-type': 'application/octet-stream', 'x-was': request.headers.get('content-type') },
    body: Buffer.from(await request.arrayBuffer()).reverse(),
  }),
  ['POST', 'PUT'],
);
route('cookies', 'cookies', (request) => ({
  body: request.headers.get('cookie'),
  cookies: [
    { name: '__Host-a', value: 'x y', maxAge: 60, secure: true, httpOnly: true, sameSite: 'Strict' },
    { name: 'b', value: '2', path: '/trees', sameSite: 'None' },
  ],
}));
route('query', 'query', (request) => ({ jsonBody: Object.fromEntries(request.query) }));
route('quiet', 'quiet', () => undefined);
route('noBody', 'no-body', () => ({ status: 304 }));
route('breaks', 'breaks', () => {
  throw new Error('The ladder is gone.');
});
route('keyed', 'keyed', () => ({ body: 'in' }), ['GET'], 'function');
route('owners', 'owners', () => ({ body: 'in' }), ['GET'], 'admin');

app.timer('nightly', {
  schedule: '0 0 4 * * *',
  handler: ({ isPastDue }) => note('nightly', new Date().toISOString().slice(0, 13), isPastDue),
});

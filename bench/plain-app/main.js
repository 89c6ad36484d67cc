// The approval as a first sample would write it: notify, wait, apply. The history is the record; there is no outbox, no check at the write,
// nothing against a duplicate. What `npm run bench:transactions` compares Gatehouse's storage calls with.
const { EmailClient } = require('@azure/communication-email');
const { TableClient } = require('@azure/data-tables');
const { app } = require('@azure/functions');
const { ManagedIdentityCredential } = require('@azure/identity');
const df = require('durable-functions');

const { env } = process;
const credential = new ManagedIdentityCredential({ clientId: env.AZURE_CLIENT_ID });
const mail = new EmailClient(env.MAIL_ENDPOINT, credential);
const log = new TableClient(env.TABLES_ENDPOINT, 'log', credential);
const made = log.createTable();

const note = async (requestId, event) => {
  await made;
  await log.createEntity({ partitionKey: requestId, rowKey: event, at: new Date().toISOString() });
};

df.app.activity('notify', {
  handler: async ({ requestId, owners, name }) => {
    for (const address of owners) {
      const content = { subject: `${name} asks to join`, plainText: `Decide: ${requestId}` };
      await mail.beginSend({ senderAddress: env.MAIL_SENDER, content, recipients: { to: [{ address }] } });
    }
    await note(requestId, 'notified');
  },
});

df.app.activity('apply', {
  handler: async ({ requestId, groupId, userId }) => {
    const { token } = await credential.getToken(env.GRAPH_SCOPE ?? 'https://graph.microsoft.com/.default');
    const answer = await fetch(`${env.GRAPH_ENDPOINT}/v1.0/groups/${groupId}/members/$ref`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ '@odata.id': `${env.GRAPH_ENDPOINT}/v1.0/directoryObjects/${userId}` }),
    });
    if (!answer.ok) throw new Error(`Graph answered ${answer.status}`);
    await note(requestId, 'granted');
  },
});

df.app.orchestration('approval', function* (context) {
  const input = context.df.getInput();
  yield context.df.callActivity('notify', input);
  const decision = context.df.waitForExternalEvent('decision');
  const deadline = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 2 * 86_400_000));
  const first = yield context.df.Task.any([decision, deadline]);
  if (first === deadline) return 'expired';
  deadline.cancel();
  if (decision.result !== true) return 'denied';
  yield context.df.callActivity('apply', input);
  return 'granted';
});

const extraInputs = [df.input.durableClient()];
app.http('file', {
  route: 'requests',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraInputs,
  handler: async (request, context) => {
    const id = await df.getClient(context).startNew('approval', { input: await request.json() });
    return { status: 202, jsonBody: { id } };
  },
});
app.http('decide', {
  route: 'requests/{id}/decision',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraInputs,
  handler: async (request, context) => {
    await df.getClient(context).raiseEvent(request.params.id, 'decision', true);
    return { status: 202 };
  },
});
app.http('status', {
  route: 'requests/{id}',
  methods: ['GET'],
  authLevel: 'anonymous',
  extraInputs,
  handler: async (request, context) => {
    const { runtimeStatus, output } = await df.getClient(context).getStatus(request.params.id);
    return { jsonBody: { runtimeStatus, output } };
  },
});

// A Functions app just large enough to show what the stack gives to any app: the clock, settings, tables by managed identity.
const { app } = require('@azure/functions');
const { TableClient } = require('@azure/data-tables');
const { ManagedIdentityCredential } = require('@azure/identity');

const { AZURE_CLIENT_ID: clientId, TABLES_ENDPOINT: endpoint } = process.env;
const credential = new ManagedIdentityCredential({ clientId });
const notes = new TableClient(endpoint, 'notes', credential, { retryOptions: { maxRetries: 0 } });

app.http('now', {
  route: 'now',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: () => ({ jsonBody: { now: new Date().toISOString(), pid: process.pid, extra: process.env.EXTRA ?? null } }),
});

app.http('write', {
  route: 'notes/{key}',
  methods: ['PUT'],
  authLevel: 'anonymous',
  handler: async (request) => {
    await notes.createTable();
    await notes.upsertEntity(
      { partitionKey: 'notes', rowKey: request.params.key, text: await request.text() },
      'Replace',
    );
    return { status: 204 };
  },
});

app.http('read', {
  route: 'notes/{key}',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async (request) => {
    const { text, timestamp } = await notes.getEntity('notes', request.params.key);
    return { jsonBody: { text, timestamp } };
  },
});

app.http('crash', {
  route: 'crash',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: () => {
    setImmediate(() => {
      throw new Error('The fixture crashes as it was asked to.');
    });
    return { status: 202 };
  },
});

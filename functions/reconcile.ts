import { app } from '@azure/functions';
import * as df from 'durable-functions';

import { durableIn } from '../orchestrations/durable';
import { reconcileWorkflow } from '../orchestrations/reconcile';

// At night, in UTC. One that runs still, or that operations started, goes on.
app.timer('nightly', {
  schedule: '0 23 2 * * *',
  extraInputs: [df.input.durableClient()],
  handler: async (_timer, context) => {
    await reconcileWorkflow(durableIn(context)).start();
  },
});

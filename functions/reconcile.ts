import { app } from '@azure/functions';
import * as df from 'durable-functions';

import { instances } from '../orchestrations/durable';
import { reconcileWorkflow } from '../orchestrations/reconcile';
import { services } from '../shared/services';

// At night, in UTC. One that runs still, or that operations started, goes on.
app.timer('nightly', {
  schedule: '0 23 2 * * *',
  extraInputs: [df.input.durableClient()],
  handler: async (_timer, context) => {
    await reconcileWorkflow(instances(df.getClient(context), services().config.CALL_TIMEOUT)).start();
  },
});

import { app } from '@azure/functions';
import * as df from 'durable-functions';

import { instances } from '../orchestrations/durable';
import { grantWorkflows } from '../orchestrations/grant';
import { joinWorkflows } from '../orchestrations/join-request';
import { sweep } from '../orchestrations/sweeper';
import { services } from '../shared/services';

app.timer('sweeper', {
  schedule: '0 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: async (_timer, context) => {
    const durable = instances(df.getClient(context));
    const workflows = { join: joinWorkflows(durable), grant: grantWorkflows(durable) };
    const result = await sweep(services(), workflows, new Date(), (message) => {
      context.warn(message);
    });
    if (result.overdue + result.ended + result.removed + result.failed > 0)
      context.log(`sweeper ${JSON.stringify(result)}`);
  },
});

import { app } from '@azure/functions';
import * as df from 'durable-functions';

import { durableIn } from '../orchestrations/durable';
import { grantWorkflows } from '../orchestrations/grant';
import { changeWorkflows } from '../orchestrations/group-change';
import { lifeWorkflows } from '../orchestrations/group-life';
import { joinWorkflows } from '../orchestrations/join-request';
import { careWorkflows } from '../orchestrations/ownerless';
import { noteSweep } from '../orchestrations/housekeeping';
import { sweep } from '../orchestrations/sweeper';
import { services } from '../shared/services';
import { within } from '../shared/telemetry';

app.timer('sweeper', {
  schedule: '0 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: async (_timer, context) => {
    const durable = durableIn(context);
    const workflows = {
      join: joinWorkflows(durable),
      grant: grantWorkflows(durable),
      change: changeWorkflows(durable),
      life: lifeWorkflows(durable),
      care: careWorkflows(durable),
    };
    const at = new Date();
    const started = performance.now();
    const notes = await services().records.notes.read();
    const result = await sweep(services(), workflows, at, (message) => context.warn(message), notes.sweeper?.next);
    if (result.overdue + result.grants + result.lives + result.cared + result.removed + result.failed > 0)
      context.log(`sweeper ${JSON.stringify(result)}`);
    await within(context, () => noteSweep(services(), notes, result, at, performance.now() - started));
  },
});

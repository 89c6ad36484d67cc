import { app } from '@azure/functions';
import * as df from 'durable-functions';

import { durableIn } from '../orchestrations/durable';
import { purgeHistories, tellLateReconcile } from '../orchestrations/housekeeping';
import { permissionsIn, tellPermissions } from '../shared/readiness';
import { services } from '../shared/services';
import { within } from '../shared/telemetry';

app.timer('housekeeping', {
  schedule: '0 47 * * * *',
  extraInputs: [df.input.durableClient()],
  handler: async (_timer, context) => {
    const { config, credential } = services();
    const token = await credential.getToken(config.GRAPH_SCOPE);
    within(context, () => {
      tellPermissions(permissionsIn(token?.token, config));
    });
    const result = await purgeHistories(services(), durableIn(context), new Date());
    if (result.purged > 0) context.log(`housekeeping ${JSON.stringify(result)}`);
    await within(context, () => tellLateReconcile(services(), new Date()));
  },
});

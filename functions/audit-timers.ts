import { app } from '@azure/functions';

import { copyTrails, sealDays } from '../orchestrations/audit';
import { services } from '../shared/services';

app.timer('auditCopy', {
  schedule: '30 * * * * *',
  handler: async (_timer, context) => {
    const result = await copyTrails(
      services(),
      () => new Date(),
      (message) => {
        context.warn(message);
      },
    );
    if (Object.values(result).some((count) => count > 0)) context.log(`auditCopy ${JSON.stringify(result)}`);
  },
});

// Every hour, not only at night: where a run failed, the next one seals the day.
app.timer('auditSeal', {
  schedule: '0 31 * * * *',
  handler: async (_timer, context) => {
    // the log keeps what the seals were, out of reach of whoever changes the account
    for (const seal of await sealDays(services(), new Date())) context.log(`auditSeal ${JSON.stringify(seal)}`);
  },
});

import { app } from '@azure/functions';

import '../orchestrations/grant';
import '../orchestrations/group-change';
import '../orchestrations/group-life';
import '../orchestrations/join-request';
import '../orchestrations/ownerless';
import '../orchestrations/reconcile';
import { readConfig } from '../shared/config';
import './audit-timers';
import { open } from './door';
import './housekeeping';
import './reconcile';
import { routes } from './routes';
import './sweeper';

// A wrong setting stops the app here, with a sentence that says how to mend it, and not at the first request.
readConfig(process.env);

// an export of the audit trail goes out as it is read
app.setup({ enableHttpStream: true });

for (const route of routes) open(route);

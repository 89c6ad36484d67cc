import '../orchestrations/grant';
import '../orchestrations/join-request';
import { readConfig } from '../shared/config';
import { open } from './door';
import { routes } from './routes';
import './sweeper';

// A wrong setting stops the app here, with a sentence that says how to mend it, and not at the first request.
readConfig(process.env);

for (const route of routes) open(route);

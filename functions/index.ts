import '../orchestrations/grant';
import '../orchestrations/join-request';
import { open } from './door';
import { routes } from './routes';
import './sweeper';

for (const route of routes) open(route);

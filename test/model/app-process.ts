import type { FunctionsCore } from '../../local/host/functions-core';
import type { Instances } from '../../orchestrations/durable';
import type { Services } from '../../shared/services';

/** What the app finds of its process: the services, the durable client, and the host's core module that functions register with. */
export const appProcess: { services?: Services; instances?: Instances; core?: FunctionsCore } = {};

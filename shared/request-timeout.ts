import type { TableServiceClientOptions } from '@azure/data-tables';

const TIMEOUT_MS = 10_000;

/** For the Azure clients: an attempt that takes longer than ten seconds is given up. They have no time-out of their own. */
export const requestTimeout: NonNullable<TableServiceClientOptions['additionalPolicies']> = [
  {
    position: 'perRetry',
    policy: {
      name: 'timeout',
      sendRequest: (request, next) => {
        request.timeout = TIMEOUT_MS;
        return next(request);
      },
    },
  },
];

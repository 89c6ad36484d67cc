import type { TableServiceClientOptions } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';

/** Where no setting says otherwise. */
export const CALL_TIMEOUT_MS = 10_000;

/** For the Azure clients: an attempt that takes longer is given up. They have no time-out of their own. */
export const requestTimeout = (ms: number): NonNullable<TableServiceClientOptions['additionalPolicies']> => [
  {
    position: 'perRetry',
    policy: {
      name: 'timeout',
      sendRequest: (request, next) => {
        request.timeout = ms;
        return next(request);
      },
    },
  },
];

/** What the call gives. Rejects where that takes longer; what was called may act all the same. */
export async function inTime<Result>(ms: number, what: string, call: () => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not answer in ${String(ms)} ms`)), ms);
  });
  try {
    return await Promise.race([call(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A credential whose tokens come in time or not at all; the managed identity's own has no time-out, and takes no policy. */
export const timeLimited = (credential: TokenCredential, ms: number): TokenCredential => ({
  getToken: (scopes, options) => inTime(ms, 'The managed identity', () => credential.getToken(scopes, options)),
});

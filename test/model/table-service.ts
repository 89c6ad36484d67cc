import tls from 'node:tls';

import type { TokenCredential } from '@azure/identity';

import { startStack } from '../../local/stack/stack';
import { identityToken } from '../http/stack/tools';

export interface TableService {
  endpoint: string;
  credential: TokenCredential;
  stop(): Promise<void>;
}

/** Azurite of a stack without a host, for this process's own clients. */
export async function startTableService(): Promise<TableService> {
  const stack = await startStack({ host: false });
  // the app's clients take the authorities of their process; those of another stack before have the same name
  tls.setDefaultCACertificates([...tls.getCACertificates('bundled'), stack.tls.ca]);
  const { token } = await identityToken(stack);
  return {
    endpoint: stack.urls.tables,
    // the clock of a model's run is years ahead
    credential: { getToken: () => Promise.resolve({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) },
    stop: () => stack.stop(),
  };
}

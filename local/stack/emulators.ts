import { join } from 'node:path';
import { defaultState } from './command';
import type { Ports } from './ports';
import { startStack } from './stack';
import type { Stack } from './stack';

/** The state of the emulators, apart from that of `npm start`: another host's instances belong to it. */
export const emulatorsState = join(defaultState, 'emulators');

/** Everything but the host, for a real Functions host on `hostPort`. */
export function startEmulators(options: {
  state: string;
  ports: Partial<Ports>;
  hostPort: number;
  signal: AbortSignal;
}): Promise<Stack> {
  return startStack({
    ...options,
    host: false,
    storage: true,
    supervise: true,
    onEvent: (sentence) => console.error(sentence),
  });
}

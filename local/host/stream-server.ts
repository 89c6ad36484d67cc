import { Server } from 'node:net';
import type { ProgrammingModel } from './functions-core';

/**
 * Asks the programming model for its capabilities; the one that matters is where it takes streamed HTTP requests. The
 * server that it starts for them would listen on all addresses, so it is kept to the loopback while it starts.
 */
export async function streamUriOf(model: ProgrammingModel | undefined): Promise<string | undefined> {
  if (!model?.getCapabilities) return undefined;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the server it was called on
  const original = Server.prototype.listen;
  const onLoopback = function (this: Server, ...given: unknown[]): unknown {
    const [first, ...rest] = given;
    if (typeof first === 'function') return Reflect.apply(original, this, [0, '127.0.0.1', first]);
    if (typeof first === 'number' && typeof rest[0] === 'function')
      return Reflect.apply(original, this, [first, '127.0.0.1', rest[0]]);
    return Reflect.apply(original, this, given);
  };
  Reflect.set(Server.prototype, 'listen', onLoopback);
  try {
    const { HttpUri: uri } = await model.getCapabilities({});
    return uri?.replace('//localhost:', '//127.0.0.1:');
  } finally {
    Reflect.set(Server.prototype, 'listen', original);
  }
}

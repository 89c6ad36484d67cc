// Loaded with `node --require` into every process of the stack: `Date` follows the stack's clock.
import { openSync, readSync } from 'node:fs';

const file = process.env['LOCAL_CLOCK_FILE'];
if (file !== undefined && file !== '') {
  const fd = openSync(file, 'r');
  const buffer = Buffer.alloc(32);
  const Real = Date;
  const realNow = Date.now.bind(Date);

  /** The file holds 32 bytes: `+` and an offset in ms, or `=` and a fixed time in ms since 1970. */
  const now = (): number => {
    const length = readSync(fd, buffer, 0, 32, 0);
    const value = Number(buffer.toString('latin1', 1, length));
    return buffer[0] === 0x3d ? value : realNow() + value;
  };

  class StackDate extends Real {
    constructor(...args: unknown[]) {
      if (args.length === 0) super(now());
      else super(...(args as [number]));
    }
    static override now(): number {
      return now();
    }
  }
  // `Date()` without `new` gives a string; what was made by the real Date stays an instance.
  globalThis.Date = new Proxy(StackDate, {
    apply: () => new StackDate().toString(),
    get: (target, key, receiver): unknown => Reflect.get(target, key, receiver),
  }) as unknown as DateConstructor;
  Object.defineProperties(StackDate, {
    name: { value: 'Date' },
    // Subclasses keep the meaning of their own `instanceof`.
    [Symbol.hasInstance]: {
      value(this: unknown, value: unknown): boolean {
        if (this === StackDate || this === globalThis.Date) return value instanceof Real;
        return Function.prototype[Symbol.hasInstance].call(this as () => void, value);
      },
    },
  });
  Object.defineProperty(StackDate.prototype, 'constructor', {
    value: globalThis.Date,
    writable: true,
    configurable: true,
  });
  // For `clock.ts`, which sets the stack's time against the real one.
  Object.defineProperty(globalThis, Symbol.for('gatehouse.realNow'), { value: realNow });
}

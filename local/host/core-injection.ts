import Module, { registerHooks } from 'node:module';

const NAME = '@azure/functions-core';
const GLOBAL = Symbol.for('functions-host.core');

/**
 * Makes `@azure/functions-core`, which no package provides, resolvable in this process: for `require` by way of
 * `Module.prototype.require`, as the real worker does it, and for `import` by a loader hook. Undone by what it returns.
 */
export function injectCoreModule(core: object): () => void {
  Reflect.set(globalThis, GLOBAL, core);

  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the module it was called on
  const original = Module.prototype.require;
  Module.prototype.require = function (this: NodeJS.Module, id: string): unknown {
    return id === NAME ? core : Reflect.apply(original, this, [id]);
  } as typeof original;

  const source = `export default globalThis[Symbol.for('functions-host.core')];`;
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === NAME ? { url, format: 'module', shortCircuit: true } : next(specifier, context),
  });

  return () => {
    Module.prototype.require = original;
    hooks.deregister();
    Reflect.deleteProperty(globalThis, GLOBAL);
  };
}

// What the app's bundle leaves out, and what of it runs at first use only: a cold start is a feature (`npm run bench:cold` measures it).
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Packages that run when they are first used, not when the app is loaded. */
const LAZY = new Set([
  '@azure/communication-email',
  '@azure/data-tables',
  '@azure/identity',
  '@microsoft/microsoft-graph-client',
  // durable-functions names these, and uses them in calls that are rare or ours not at all
  'axios',
  'moment',
  'validator',
]);

/** For an `import`, whose namespace esbuild makes with the same prototype: what is not its own is looked up here. */
const names = `module.exports = Object.create(new Proxy({}, {
  get: (_, name) => (name === '__esModule' ? true : Reflect.get(load(), name)),
}));`;

/** For a `require`, whose caller keeps the whole module: a proxy for it. It must not load to be asked whether it was an ES module. */
const whole = `module.exports = new Proxy(function () {}, {
  get: (_, name) => (name === '__esModule' ? undefined : Reflect.get(load(), name)),
  apply: (_, self, given) => Reflect.apply(load(), self, given),
  construct: (_, given) => Reflect.construct(load(), given),
});`;

const lazyPackages = {
  name: 'lazy-packages',
  setup({ onResolve, onLoad, resolve }) {
    // every other import is resolved without a word to this process
    onResolve(
      { filter: new RegExp(`^(?:${[...LAZY].join('|')})$`) },
      async ({ path, kind, importer, resolveDir, pluginData }) => {
        if (pluginData?.real) return undefined;
        const real = await resolve(path, { kind, importer, resolveDir, pluginData: { real: true } });
        // the bundle names its modules by this path: it must be the same on every machine
        return { path: relative(root, real.path), namespace: 'lazy', pluginData: { kind } };
      },
    );
    onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path, pluginData }) => ({
      resolveDir: root,
      contents: `let real; const load = () => (real ??= require(${JSON.stringify(`./${path}`)}));
${pluginData.kind === 'require-call' ? whole : names}`,
    }));
  },
};

/** zod says what is wrong in fifty languages; the app speaks for itself, and otherwise English. */
const englishOnly = {
  name: 'english-only',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer, resolveDir }) =>
      /[\\/]zod[\\/]/.test(importer) ? { path: 'locales', namespace: 'english', pluginData: resolveDir } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'english' }, ({ pluginData: resolveDir }) => ({
      resolveDir,
      contents: `export { default as en } from '../locales/en.js';`,
    }));
  },
};

/** Optional to `debug`, and here only because a package for development brings it: what is shipped must not depend on that. */
const withoutColor = {
  name: 'without-color',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^supports-color$/ }, ({ path }) => ({ path, namespace: 'absent' }));
    onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = undefined;' }));
  },
};

/** For what is not the app, and is cut into pieces to be loaded at first use. */
export const leanPlugins = [englishOnly, withoutColor];

export const bundlePlugins = [lazyPackages, ...leanPlugins];

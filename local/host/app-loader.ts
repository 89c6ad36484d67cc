import { existsSync, globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { injectCoreModule } from './core-injection';
import type { Registrations } from './functions-core';
import { createFunctionsCore } from './functions-core';
import type { AppConfig } from './host-config';
import { codeOf, HostFailure, messageOf, stackOf } from './host-failure';
import type { Log } from './log';

/** An app whose entry points have run. */
export interface LoadedApp {
  registrations: Registrations;
  unload(): void;
}

function entryPoints(config: AppConfig): string[] {
  const direct = join(config.folder, config.main);
  const candidates = [direct, `${direct}.js`, join(direct, 'index.js')];
  const literal = /[*?[{]/.test(config.main) ? undefined : candidates.find((file) => extname(file) && existsSync(file));
  const files = literal === undefined ? globSync(config.main, { cwd: config.folder }).sort() : [literal];
  const loadable = files.filter((file) => /\.[cm]?js$/.test(file));
  if (loadable.length > 0) return loadable.map((file) => (file === literal ? file : join(config.folder, file)));
  throw new HostFailure(
    `${join(config.folder, 'package.json')} names ${config.main}, which does not exist: build the app first.`,
  );
}

/** The package that a failed `require` or `import` asked for; undefined where something else went wrong. */
function missingPackage(error: unknown): string | undefined {
  if (!/^(ERR_)?MODULE_NOT_FOUND$/.test(codeOf(error) ?? '')) return undefined;
  return /^Cannot find (?:module|package) '([^'./][^']*)'/.exec(messageOf(error))?.[1];
}

async function loadFile(file: string, isEsm: boolean): Promise<void> {
  const asModule = extname(file) === '.mjs' || (isEsm && extname(file) === '.js');
  if (asModule) await import(pathToFileURL(file).href);
  else createRequire(file)(file);
}

/** Runs the app's entry points in this process, with `@azure/functions-core` provided by this host. */
export async function loadApp(config: AppConfig, log: Log): Promise<LoadedApp> {
  const files = entryPoints(config);
  const { module, registrations } = createFunctionsCore(log);
  const unload = injectCoreModule(module);
  for (const file of files) {
    try {
      await loadFile(file, config.isEsm);
    } catch (error) {
      unload();
      const missing = missingPackage(error);
      if (missing !== undefined) {
        throw new HostFailure(
          `${relative(config.folder, file)} of the app needs '${missing}', which was not found: install the app's packages in ${config.folder}, or set NODE_PATH to a node_modules folder that has them.`,
        );
      }
      log('error', 'Host.Startup', stackOf(error));
      throw new HostFailure(
        `${relative(config.folder, file)} of the app failed to load (${messageOf(error)}); correct the app.`,
      );
    }
  }
  registrations.seal();
  return { registrations, unload };
}

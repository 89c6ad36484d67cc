// Loaded before Azurite. It would read the client of the telemetry that it is told not to send: two thirds of all that it reads at its start.
import Module, { createRequire } from 'node:module';

const [, script = ''] = process.argv;
const { cache, resolve } = createRequire(script);
const file = resolve('applicationinsights');
const unused = new Module(file);
unused.loaded = true;
cache[file] = unused;

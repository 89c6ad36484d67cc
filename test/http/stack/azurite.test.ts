import { spawnSync } from 'node:child_process';
import { tableService } from '../../../local/stack/azurite';
import { built } from '../../../local/stack/paths';
import type { Ports } from '../../../local/stack/ports';
import type { Tls } from '../../../local/stack/tls';

/** Prints how many files were read, and how many of them telemetry's, once the script has ended. */
const printer = `data:text/javascript,${encodeURIComponent(`
  import { createRequire } from 'node:module';
  const { cache } = createRequire(process.argv[1]);
  process.on('exit', () => {
    const files = Object.keys(cache);
    const ofTelemetry = files.filter((file) => /node_modules.(applicationinsights|@opentelemetry)./.test(file));
    console.log(JSON.stringify([files.length, ofTelemetry.length]));
  });
`)}`;

const { preload, script } = tableService({} as Ports, '', {} as Tls);

/** What Azurite reads to say its version, which is all that it reads at a start. */
function filesRead(...flags: string[]): [all: number, ofTelemetry: number] {
  const { stdout } = spawnSync(process.execPath, [...flags, '--import', printer, script, '--version'], {
    encoding: 'utf8',
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as [number, number];
}

test('Azurite does not read the client of the telemetry that it is told not to send', () => {
  expect(preload).toBe(built('stack/without-telemetry.js'));
  const [lean, stub] = filesRead('--require', preload);
  const [full, client] = filesRead();
  // the empty one in its place
  expect(stub).toBe(1);
  expect(client).toBeGreaterThan(100);
  expect(lean).toBeLessThan(full - client);
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { endRuns, repository, runNode, temporaryFolder } from '../stack/tools';
import { FixtureHost } from './fixture-host';

// The traces that were recorded of the real host are no part of this repository.
const named = process.env['GATEHOUSE_GOLDEN'];
const golden = named ?? join(repository, '..', 'shared', 'golden');
const runs = named !== undefined || existsSync(join(golden, 'play.mjs'));
const why = runs ? '' : ' (skipped: GATEHOUSE_GOLDEN names no folder of traces, and ../shared/golden is not there)';

(runs ? test : test.skip)(
  `the host does what the real host was recorded doing${why}`,
  async () => {
    const folder = temporaryFolder();
    const log = join(folder.path, 'golden.log');
    const env = { GOLDEN_OUT: log, NODE_PATH: join(repository, 'node_modules') };
    const host = new FixtureHost(folder.path, { app: join(golden, 'app'), env });
    try {
      await host.start();
      const player = runNode([join(golden, 'play.mjs'), '--base', host.base, '--log', log]);
      const code = await player.ended;
      expect(player.output()).toMatch(/^[1-9]\d* passed, 0 failed$/m);
      expect(code).toBe(0);
    } finally {
      await endRuns();
      await host.stop();
      folder.remove();
    }
  },
  180_000,
);

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

// The package is an ES module, which jest can't load, so Node itself is asked for the path.
const ASK = `import('@sparticuz/chromium').then(async ({ default: chromium }) => {
  chromium.setGraphicsMode = false;
  process.stdout.write(await chromium.executablePath());
})`;

/** Starts the browser that npm brought along; the first time on a machine it is unpacked into the temporary folder. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = execFileSync(process.execPath, ['--eval', ASK], { encoding: 'utf8' });
  return chromium.launch({
    executablePath,
    // The fonts that come with it, so that pictures are the same on every machine.
    env: { ...process.env, FONTCONFIG_PATH: join(dirname(executablePath), 'fonts') },
    args: ['--no-sandbox', '--no-zygote', '--disable-webgl', '--font-render-hinting=none'],
  });
}

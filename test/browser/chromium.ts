import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Response } from 'playwright-core';

import type { House } from '../workflow/house';
import { isOfSite, saidInAnswer } from '../workflow/said';

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

/** Lets the house hear every answer that a page of this browser, opened from now on, gets of it. */
export function hearPages(browser: Browser, house: House): void {
  const hear = async (response: Response): Promise<void> => {
    const url = new URL(response.url());
    if (!isOfSite(house.stack.urls, url)) return;
    // a redirect has none, and that of a page that was closed is gone
    const text = await response.text().catch(() => '');
    const headers = Object.entries(response.headers());
    house.hear(saidInAnswer(url, { method: response.request().method(), status: response.status(), headers, text }));
  };
  browser.on('context', (context) => context.on('response', (response) => void hear(response)));
}

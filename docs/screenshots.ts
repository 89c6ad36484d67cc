import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launchBrowser } from '../test/browser/chromium';
import { mails, pages } from '../test/browser/samples';

// Renders what people see, as docs/images/<name>-<width>-<scheme>.png.
//   esbuild docs/screenshots.ts --bundle --platform=node --packages=external --outfile=build/screenshots.js
//   node build/screenshots.js [folder] [name …]
const SHOWN = ['approval', 'outcome', 'closed', 'decision'];
const WIDTHS = [380, 1200];
const SCHEMES = ['light', 'dark'] as const;

async function screenshots(folder: string, names: string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const browser = await launchBrowser();
  try {
    for (const width of WIDTHS) {
      for (const colorScheme of SCHEMES) {
        const context = await browser.newContext({
          viewport: { width, height: 600 },
          deviceScaleFactor: width < 600 ? 2 : 1,
          colorScheme,
          offline: true,
        });
        const page = await context.newPage();
        for (const name of names) {
          const markup = mails[name]?.html ?? pages[name]?.toString();
          if (markup === undefined) throw new Error(`There is no sample called ${name}.`);
          await page.setContent(markup);
          await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
        }
        await context.close();
      }
    }
  } finally {
    await browser.close();
  }
}

const [folder = join('docs', 'images'), ...names] = process.argv.slice(2);
void screenshots(folder, names.length === 0 ? SHOWN : names);

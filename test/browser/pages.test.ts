import { readFileSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from './chromium';
import { mails, pages } from './samples';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const shown: [name: string, kind: 'mail' | 'page', markup: string][] = [
  ...Object.entries(mails).map(([name, mail]) => [name, 'mail', mail.html] as [string, 'mail', string]),
  ...Object.entries(pages).map(([name, page]) => [name, 'page', String(page)] as [string, 'page', string]),
];

// A mail program shows a mail inside a page of its own, whose landmarks a mail must not double.
const notForMails = { rules: { region: { enabled: false }, 'landmark-one-main': { enabled: false } } };

const looks = [
  { width: 380, colorScheme: 'light' },
  { width: 380, colorScheme: 'dark' },
  { width: 1200, colorScheme: 'light' },
  { width: 1200, colorScheme: 'dark' },
] as const;

let browser: Browser;
let page: Page;
const asked: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  page = await browser.newPage({ offline: true });
  page.on('request', (request) => asked.push(request.url()));
});
afterAll(() => browser.close());

async function open(markup: string): Promise<void> {
  asked.length = 0;
  await page.goto('about:blank');
  await page.setContent(markup);
}

async function violations(options: object): Promise<string[]> {
  const results = await page.evaluate<AxeResults>(`axe.run(document, ${JSON.stringify(options)})`);
  expect(results.passes.length).toBeGreaterThan(10);
  return results.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
}

describe.each(shown)('%s (%s)', (_, kind, markup) => {
  test('is accessible, fits a phone and a desktop, light and dark, and asks nobody for anything', async () => {
    await open(markup);
    await page.evaluate(axe);
    for (const { width, colorScheme } of looks) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      const look = `${width} px, ${colorScheme}`;
      expect({ look, found: await violations(kind === 'mail' ? notForMails : {}) }).toEqual({ look, found: [] });
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    }
    expect(asked.filter((url) => url !== 'about:blank')).toEqual([]);
  });
});

describe('the decision page', () => {
  beforeEach(() => open(String(pages['decision-problem'])));

  test('can be used with the keyboard alone', async () => {
    const stops: string[] = [];
    for (let stop = 0; stop < 4; stop += 1) {
      await page.keyboard.press('Tab');
      const active = 'document.activeElement.name || document.activeElement.textContent.trim()';
      stops.push(await page.evaluate<string>(active));
      if (stops.at(-1) === 'decision') await page.keyboard.press('ArrowDown');
    }
    expect(stops).toEqual(['Go to your decision', 'decision', 'comment', 'Confirm']);
    expect(await page.evaluate<string>('new FormData(document.forms[0]).get("decision")')).toBe('deny');
  });

  test('can not be sent without a choice', async () => {
    expect(await page.evaluate<boolean>('document.forms[0].checkValidity()')).toBe(false);
    await page.getByLabel('Approve').check();
    expect(await page.evaluate<boolean>('document.forms[0].checkValidity()')).toBe(true);
  });
});

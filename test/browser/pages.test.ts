import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { groups } from '../../local/demo-tenant';
import { launchBrowser } from './chromium';
import { mails, pages } from './samples';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const shown: [name: string, kind: 'mail' | 'page', markup: string][] = [
  ...Object.entries(mails).map(([name, mail]) => [name, 'mail', mail.html] as [string, 'mail', string]),
  ...Object.entries(pages).map(([name, page]) => [name, 'page', String(page)] as [string, 'page', string]),
];

// A mail program shows a mail inside a page of its own, whose landmarks a mail must not double.
const notForMails = { rules: { region: { enabled: false }, 'landmark-one-main': { enabled: false } } };

// What is where does not change with the colours, nor do the colours with the width: in the dark only these are looked at again, once.
const inTheDark = { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } };

const looks = [
  { width: 380, colorScheme: 'light' },
  { width: 380, colorScheme: 'dark' },
  { width: 1200, colorScheme: 'light' },
] as const;

let browser: Browser;
let page: Page;
const asked: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  page = await browser.newPage({ offline: true });
  await page.addInitScript(axe);
  page.on('request', (request) => asked.push(request.url()));
});
afterAll(() => browser.close());

async function open(markup: string): Promise<void> {
  asked.length = 0;
  await page.goto('about:blank');
  await page.setContent(markup);
}

async function violations(kind: 'mail' | 'page', colorScheme: 'light' | 'dark'): Promise<string[]> {
  const options = colorScheme === 'dark' ? inTheDark : kind === 'mail' ? notForMails : {};
  // only what is looked at comes out of the browser: the whole of the results is half a megabyte
  const { passed, found } = await page.evaluate<{ passed: number; found: string[] }>(
    `axe.run(document, ${JSON.stringify(options)}).then(({ passes, violations }) => ({
      passed: passes.length,
      found: violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ': ' + node.html)),
    }))`,
  );
  expect(passed).toBeGreaterThan(colorScheme === 'dark' ? 0 : 10);
  return found;
}

test('every mail and every page that there is is among them', () => {
  const folder = (...parts: string[]): string => join(__dirname, '..', '..', 'shared', ...parts);
  const samples = readFileSync(join(__dirname, 'samples.ts'), 'utf8');
  const made = [folder('mail'), folder('web', 'pages')].flatMap((from) =>
    readdirSync(from).flatMap((file) =>
      [...readFileSync(join(from, file), 'utf8').matchAll(/^export function (\w+(?:Message|Page))\(/gm)].map(
        ([, name = '']) => name,
      ),
    ),
  );
  expect(made.length).toBeGreaterThan(20);
  expect(made.filter((name) => !samples.includes(`: ${name}(`) && !samples.includes(`=> ${name}(`))).toEqual([]);
});

describe.each(shown)('%s (%s)', (_, kind, markup) => {
  test('is accessible, fits a phone and a desktop, light and dark, and asks nobody for anything', async () => {
    await open(markup);
    for (const { width, colorScheme } of looks) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      const look = `${width} px, ${colorScheme}`;
      expect({ look, found: await violations(kind, colorScheme) }).toEqual({ look, found: [] });
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

describe('the membership page', () => {
  beforeEach(() => open(String(pages.membership)));

  const sendable = (form: number): Promise<boolean> =>
    page.evaluate<boolean>(`document.forms[${form}].checkValidity()`);
  const posted = (form: number): Promise<[string, string][]> =>
    page.evaluate<[string, string][]>(`[...new FormData(document.forms[${form}])]`);

  test('can be used with the keyboard alone', async () => {
    const stops: string[] = [];
    for (let stop = 0; stop < 6; stop += 1) {
      await page.keyboard.press('Tab');
      const active = 'document.activeElement.name || document.activeElement.textContent.trim()';
      stops.push(await page.evaluate<string>(active));
    }
    expect(stops).toEqual(['justification', 'duration', 'Ask to stay', 'Let it lapse', 'sure', 'Leave now']);
  });

  test('sends no request to stay without a reason where one must be given', async () => {
    expect(await sendable(0)).toBe(false);
    await page.getByLabel('Why you need to stay').fill('The project goes on.');
    await page.getByLabel('For how long').selectOption('90 days');
    expect(await sendable(0)).toBe(true);
    expect(await posted(0)).toEqual([
      ['token', 'b5a1e0'],
      ['action', 'extend'],
      ['justification', 'The project goes on.'],
      ['duration', 'P90D'],
    ]);
  });

  test('lets nobody leave by one stray click', async () => {
    expect(await sendable(2)).toBe(false);
    await page.getByLabel('Yes, I want to leave').check();
    expect(await sendable(2)).toBe(true);
    expect(await posted(2)).toEqual([
      ['token', 'b5a1e0'],
      ['action', 'leave'],
      ['sure', 'yes'],
    ]);
  });
});

describe('the page on which a group is renewed', () => {
  beforeEach(() => open(String(pages['group-renewal'])));

  test('can be used with the keyboard alone, and posts nothing but its token', async () => {
    await page.keyboard.press('Tab');
    const active = await page.evaluate<string>('document.activeElement.textContent.trim()');
    expect(active).toBe(`Renew ${groups.design.displayName}`);
    expect(await page.evaluate<[string, string][]>('[...new FormData(document.forms[0])]')).toEqual([
      ['token', 'b5a1e0'],
    ]);
  });
});

describe('the page on which operations confirm an action', () => {
  beforeEach(() => open(String(pages['operations-action'])));

  test('can be used with the keyboard alone, and posts what it shows', async () => {
    const stops: string[] = [];
    for (let stop = 0; stop < 5; stop += 1) {
      await page.keyboard.press('Tab');
      stops.push(
        await page.evaluate<string>('document.activeElement.name || document.activeElement.textContent.trim()'),
      );
      if (stops.at(-1) === 'people') await page.keyboard.type('olivia@contoso.example');
      if (stops.at(-1) === 'reason') await page.keyboard.type('On leave.');
    }
    expect(stops).toEqual(['Back to the request', 'people', 'required', 'reason', 'Give it to them']);
    expect(await page.evaluate<[string, string][]>('[...new FormData(document.forms[0])]')).toEqual([
      ['token', 'b5a1e0'],
      ['action', 'reroute'],
      ['people', 'olivia@contoso.example'],
      ['required', '1'],
      ['reason', 'On leave.'],
    ]);
  });

  test('is not sent without a reason', async () => {
    await page.getByLabel('Who shall decide').fill('olivia@contoso.example');
    expect(await page.evaluate<boolean>('document.forms[0].checkValidity()')).toBe(false);
    await page.getByLabel('Why').fill('On leave.');
    expect(await page.evaluate<boolean>('document.forms[0].checkValidity()')).toBe(true);
  });
});

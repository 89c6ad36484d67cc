import type { Browser } from 'playwright-core';

import { people } from '../../local/demo-tenant';
import { linkIn, mailsTo } from '../../local/stack/actors';
import { openHouse } from '../workflow/house';
import type { House } from '../workflow/house';
import { hearPages, launchBrowser } from './chromium';

let house: House;
let browser: Browser;

beforeAll(async () => {
  [house, browser] = [await openHouse(), await launchBrowser()];
  hearPages(browser, house);
});
afterAll(async () => {
  await browser.close();
  await house.stop();
});

async function askedLink(id: string): Promise<string> {
  await house.until(id, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  const mail = (await mailsTo(house.stack.urls, 'olivia')).find(({ plainText }) => (plainText ?? '').includes(id));
  if (mail === undefined) throw new Error('no mail');
  return linkIn(mail);
}

test('an owner opens the link, signs in, sees the choice of the mail made, confirms, and keeps the link as receipt: without script', async () => {
  const id = await house.filed('design', 'rita');
  const link = await askedLink(id);
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${link}?choice=approve`);
  expect(await page.content()).not.toContain('Rita');
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.locator('button[value="olivia"]').click();
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain(people.rita.displayName);
  expect(await page.getByRole('radio', { name: /approve/i }).isChecked()).toBe(true);
  await page.getByRole('button', { name: 'Confirm' }).click();
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('Approved');
  expect((await house.untilTold(id)).state).toBe('granted');

  await page.goto(`${link}?choice=deny`);
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('Approved');
  await context.close();
});

test('somebody else who is signed in is told nothing, and an unknown link looks the same to them', async () => {
  const id = await house.filed('design', 'ravi');
  const link = await askedLink(id);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.locator('button[value="omar"]').click();
  const shown = async (): Promise<string> => (await page.locator('main').innerText()).trim();
  const others = await shown();
  expect(others).toContain('another account');
  await page.goto(`${link.slice(0, -22)}${'A'.repeat(22)}`);
  expect(await shown()).toBe(others);
  await context.close();
});

test('a mail scanner that opens every link 50 times, runs the page and submits every form decides nothing', async () => {
  const id = await house.filed('marketing', 'ravi');
  const link = await askedLink(id);
  for (const choice of ['approve', 'deny']) {
    for (let times = 0; times < 25; times += 1) {
      await (await fetch(`${link}?choice=${choice}`)).text();
      await fetch(`${link}?choice=${choice}`, { method: 'HEAD' });
    }
  }
  const context = await browser.newContext();
  const page = await context.newPage();
  for (const choice of ['approve', 'deny']) {
    await page.goto(`${link}?choice=${choice}`);
    for (const form of await page.locator('form').all())
      await form.evaluate((element) => (element as unknown as { submit(): void }).submit());
    for (const href of await page
      .locator('a')
      .evaluateAll((links) => links.map((each) => (each as unknown as { href: string }).href)))
      await page.goto(href);
  }
  const { origin } = new URL(link);
  for (const decision of ['approve', 'deny']) {
    const posted = await fetch(link, {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ decision, comment: '', token: 'A'.repeat(22) }),
    });
    expect(posted.status).toBe(403);
    expect(await posted.text()).not.toContain('Ravi');
  }
  await context.close();
  const status = await house.status(id);
  expect([status.state, status.timeline.map(({ event }) => event)]).toEqual(['pending', ['filed', 'approvers-asked']]);
});

test('a post that does not come from our own form counts for nothing, even with the owner’s session', async () => {
  const id = await house.filed('marketing', 'rita');
  const link = await askedLink(id);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.locator('button[value="olivia"]').click();
  const form = { decision: 'approve', comment: '', token: await page.locator('input[name=token]').inputValue() };
  const from = (headers: Record<string, string>, more: Record<string, string> = {}) =>
    context.request.post(link, { headers, form: { ...form, ...more }, maxRedirects: 0 });
  expect((await from({ origin: 'https://evil.example' })).status()).toBe(403);
  expect((await from({})).status()).toBe(403);
  expect((await from({ origin: 'null' })).status()).toBe(403);
  expect((await from({ origin: 'null', 'sec-fetch-site': 'cross-site' })).status()).toBe(403);
  expect((await from({ origin: new URL(link).origin }, { token: 'A'.repeat(22) })).status()).toBe(403);
  expect((await from({ origin: new URL(link).origin }, { decision: 'Approve' })).status()).toBe(400);
  expect((await house.status(id)).state).toBe('pending');
  expect((await from({ origin: new URL(link).origin })).status()).toBe(303);
  expect((await house.untilTold(id)).state).toBe('granted');
  expect((await from({ origin: new URL(link).origin }, { decision: 'deny' })).status()).toBe(303);
  expect((await house.status(id)).state).toBe('granted');
  await context.close();
});

test('the page loads nothing, can’t be framed, and is kept by no cache', async () => {
  const response = await fetch(`${house.stack.urls.frontDoor}/api/decisions/${'A'.repeat(22)}`);
  expect(
    Object.fromEntries(
      ['content-security-policy', 'cache-control', 'referrer-policy', 'x-frame-options', 'x-content-type-options'].map(
        (name) => [name, response.headers.get(name)],
      ),
    ),
  ).toEqual({
    'content-security-policy': expect.stringMatching(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    ) as unknown,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
  });
  expect(await response.text()).not.toContain('<script');
});

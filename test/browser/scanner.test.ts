import type { Browser, BrowserContext, Page } from 'playwright-core';

import { hiddenField, linkIn, mailsTo, openBrowser, signIn } from '../../local/stack/actors';
import type { InboxMail } from '../../local/stack/actors';
import { openHouse } from '../workflow/house';
import type { House } from '../workflow/house';
import { hearPages, launchBrowser } from './chromium';

/** What mail security products do with a mail that asks: nothing of it may decide. The owner then decides as always. */
let house: House;
let browser: Browser;
let id: string;
let mail: InboxMail;
let link: string;

beforeAll(async () => {
  [house, browser] = [await openHouse(), await launchBrowser()];
  hearPages(browser, house);
  id = await house.filed('marketing', 'ravi');
  mail = await askingMail(id);
  link = linkIn(mail);
});
afterAll(async () => {
  await browser.close();
  await house.stop();
});

async function askingMail(request: string): Promise<InboxMail> {
  await house.until(request, ({ timeline }) => timeline.some(({ event }) => event === 'approvers-asked'));
  const found = (await mailsTo(house.stack.urls, 'olivia')).find(({ plainText }) => plainText?.includes(request));
  if (found === undefined) throw new Error('no mail');
  return found;
}

/** Every address of ours in the mail, as a scanner collects them: from the text and from the HTML. */
function addressesIn({ plainText, html }: InboxMail): string[] {
  const found = [...`${plainText ?? ''} ${html ?? ''}`.matchAll(/https?:\/\/[^\s"'<>]+/g)];
  const { origin } = new URL(house.stack.urls.frontDoor);
  return [...new Set(found.map(([url]) => url.replaceAll('&amp;', '&')))].filter((url) => url.startsWith(origin));
}

/** Nobody decided, and nothing was written about the request since the owners were asked. */
async function isUntouched(request = id): Promise<void> {
  const { state, stage, timeline } = await house.status(request);
  expect([state, stage?.approvals, timeline.map(({ event }) => event)]).toEqual([
    'pending',
    0,
    ['filed', 'approvers-asked'],
  ]);
}

const ODD: readonly Record<string, string>[] = [
  {},
  { 'user-agent': 'Mozilla/5.0 (compatible; SafeLinks; ATP)', 'x-ms-forest': 'EUR' },
  { purpose: 'prefetch', 'sec-purpose': 'prefetch;prerender', 'x-moz': 'prefetch' },
  { referer: 'https://outlook.office.com/', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
  { 'sec-fetch-site': 'same-origin', origin: 'null' },
  {
    'x-http-method-override': 'POST',
    'x-method-override': 'POST',
    'content-type': 'application/x-www-form-urlencoded',
  },
  { 'x-ms-client-principal-id': 'a0000000-0000-4000-8000-000000000001', 'x-ms-client-principal-name': 'olivia' },
  {
    'x-ms-client-principal-idp': 'aad',
    'x-ms-client-principal': Buffer.from(
      JSON.stringify({
        claims: [
          { typ: 'oid', val: 'a0000000-0000-4000-8000-000000000001' },
          { typ: 'tid', val: '7e9a0000-0000-4000-8000-000000000001' },
        ],
      }),
    ).toString('base64'),
  },
  { cookie: `__Host-gatehouse-form=${'A'.repeat(22)}; AppServiceAuthSession=x` },
  { range: 'bytes=0-1023', accept: '*/*', 'accept-encoding': 'br' },
];
/** What is appended or changed by gateways that rewrite links. */
const REWRITTEN = [
  '',
  '?choice=approve',
  '?choice=deny',
  '?decision=approve&token=x&utm_source=mail',
  '?choice=approve&_method=POST',
];

test('every address of the mail, 50 times each by GET and by HEAD, however the caller dresses: nothing is decided', async () => {
  const addresses = addressesIn(mail);
  expect(addresses.filter((url) => url.startsWith(link)).length).toBeGreaterThanOrEqual(2);
  const targets = [...addresses, ...REWRITTEN.map((rest) => link + rest)];
  for (const url of new Set(targets)) {
    const bodies = new Set<string>();
    for (let times = 0; times < 50; times += 1) {
      const headers = ODD[times % ODD.length] ?? {};
      const head = await fetch(url, { method: 'HEAD', headers });
      const get = await fetch(url, { headers });
      expect([get.status, await head.text()]).toEqual([200, '']);
      bodies.add(await get.text());
    }
    for (const body of bodies) expect(body).not.toMatch(/Ravi|Marketing|I work with them/);
  }
  await isUntouched();
}, 180_000);

/** Clicks all there is to click and submits all there is to submit, as a sandbox does, until nothing new turns up. */
async function detonate(context: BrowserContext, start: string, most = 25): Promise<Set<string>> {
  const seen = new Set<string>();
  const queue = [start];
  const page = await context.newPage();
  const own = new URL(start).hostname;
  for (let url = queue.shift(); url !== undefined && seen.size < most; url = queue.shift()) {
    if (seen.has(url) || new URL(url).hostname !== own) continue;
    seen.add(url);
    await visit(page, url);
    queue.push(...(await hrefs(page)));
    const forms = await page.locator('form').count();
    for (let n = 0; n < forms; n += 1) {
      await submit(page, n);
      if (URL.canParse(page.url())) queue.push(...(await hrefs(page)));
      await visit(page, url);
    }
  }
  await page.close();
  return seen;
}

const visit = async (page: Page, url: string): Promise<void> => {
  await page.goto(url, { waitUntil: 'load' });
};
const hrefs = (page: Page): Promise<string[]> =>
  page.locator('a').evaluateAll((all) => all.map((each) => (each as unknown as { href: string }).href));

/** Fills in what is empty, presses the first button, or submits by script where there is none. */
async function submit(page: Page, n: number): Promise<void> {
  const form = page.locator('form').nth(n);
  for (const radio of await form.locator('input[type=radio], input[type=checkbox]').all())
    await radio.check({ force: true });
  for (const field of await form.locator('input[type=text], textarea').all()) await field.fill('approve');
  // a form that is not complete goes nowhere: the browser says so and stays
  const isGone = page.waitForEvent('framenavigated', { timeout: 2_000 }).then(
    () => true,
    () => false,
  );
  await form.evaluate((element) => (element as unknown as { requestSubmit(): void }).requestSubmit());
  if (await isGone) await page.waitForLoadState('load');
}

test('a sandbox that runs the pages, clicks every link and submits every form, with nobody signed in: nothing is decided', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.method()));
  const signIn = `${new URL(link).origin}/.auth/login/aad`;
  for (const rest of REWRITTEN) {
    await page.goto(link + rest);
    expect(await page.content()).not.toMatch(/Ravi|<script/);
    // there is nothing to submit, and the one way on is to sign in
    expect(await page.locator('form, button, input').count()).toBe(0);
    const links = await hrefs(page);
    expect(links.filter((href) => !href.startsWith(signIn))).toEqual([]);
    for (const href of links) {
      await page.goto(href);
      expect(new URL(page.url()).origin).not.toBe(new URL(link).origin);
    }
  }
  // the issuer's page is where it ends: whoever goes on from there is a person with a password
  expect(asked).not.toContain('POST');
  await page.close();
  await context.close();
  await isUntouched();
});

test('a sandbox that signs in as somebody of its own, and clicks and submits everything from there: nothing is decided', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.locator('button[value="omar"]').click();
  await page.close();
  const seen = await detonate(context, `${link}?choice=approve`);
  expect(seen.size).toBeGreaterThan(1);
  await context.close();
  await isUntouched();
});

test('a captured decision, sent again by whomever and about whatever: nothing is decided but what was', async () => {
  const { urls } = house.stack;
  const other = await house.filed('design', 'mona');
  const otherLink = linkIn(await askingMail(other));
  const { browser: owner, page } = await signIn(urls, 'olivia', new URL(otherLink).pathname);
  const captured = { decision: 'approve', comment: '', token: hiddenField(page.text, 'token') };
  const cookie = page.headers.getSetCookie().find((line) => line.startsWith('__Host-gatehouse-form='));
  const formCookie = cookie?.split(';')[0] ?? `__Host-gatehouse-form=${captured.token}`;
  expect((await owner.post(otherLink, captured)).status).toBe(200);
  expect((await house.untilTold(other)).state).toBe('granted');
  const events = (await house.status(other)).timeline.map(({ event }) => event);

  const { origin } = new URL(link);
  const dressed: Record<string, string>[] = [
    { origin },
    { origin, cookie: formCookie },
    { origin: 'null', 'sec-fetch-site': 'same-origin', cookie: formCookie },
    { cookie: formCookie },
  ];
  const strangers = [
    openBrowser(urls.frontDoor),
    (await signIn(urls, 'omar')).browser,
    (await signIn(urls, 'ravi')).browser,
  ];
  // on the request that waits: without a session, and with the sessions of an owner of another group and of the requester
  for (const decision of ['approve', 'deny'])
    for (const target of [link, `${link}?choice=${decision}`]) {
      for (const headers of dressed) {
        const answer = await fetch(target, {
          method: 'POST',
          headers,
          body: new URLSearchParams({ ...captured, decision }),
        });
        expect([answer.status, (await answer.text()).includes('Ravi')]).toEqual([403, false]);
      }
      for (const stranger of strangers)
        expect((await stranger.post(target, { ...captured, decision })).status).toBe(403);
    }
  await isUntouched();

  // with the owner's session, but not from their browser's form: the token is that of another cookie, or the cookie is gone
  const { browser: again } = await signIn(urls, 'olivia');
  expect((await again.post(link, captured)).status).toBe(403);
  expect((await again.post(link, captured, { origin: 'https://evil.example' })).status).toBe(403);
  await isUntouched();

  // on the one that was decided: by the owner's own session, hours later
  house.stack.clock.advance(3 * 3_600_000);
  const late = await signIn(urls, 'olivia', new URL(otherLink).pathname);
  for (const decision of ['approve', 'deny']) {
    const answer = await late.browser.post(otherLink, { ...captured, decision });
    expect([200, 403]).toContain(answer.status);
  }
  const after = await house.status(other);
  expect([after.state, after.timeline.map(({ event }) => event)]).toEqual(['granted', events]);
  await isUntouched();
});

test('the decision link is asked for by every other method: nothing is decided', async () => {
  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    const answer = await fetch(link, { method, headers: { origin: new URL(link).origin } });
    expect([method, answer.status]).toEqual([method, 404]);
  }
  await isUntouched();
});

test('then the owner decides as always, once', async () => {
  expect((await house.decide(id, 'olivia', 'approve')).text).toContain('Approved');
  const { state, timeline } = await house.untilTold(id);
  expect(state).toBe('granted');
  expect(timeline.filter(({ event }) => event === 'approved' || event === 'voted').length).toBeGreaterThan(0);
  expect(await house.isMember('marketing', 'ravi')).toBe(true);
});

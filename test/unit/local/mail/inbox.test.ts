import type { Mail } from '../../../../local/mail/mail';
import { INBOX, admin, callerOf, createIssuer, letter, listed, openMail } from './harness';
import type { Caller, Issuer } from './harness';

let issuer: Issuer;
let mail: Mail;
let caller: Caller;

beforeAll(async () => {
  issuer = await createIssuer();
});
beforeEach(async () => {
  mail = openMail(issuer);
  caller = await callerOf(mail, issuer);
});
afterEach(() => mail.close());

const sendTo = (address: string, subject = 'Hello', more: Record<string, unknown> = {}) =>
  caller.send(
    letter({
      content: { subject, plainText: 'See https://localhost:7070/d/1.', html: '<p>x</p>' },
      recipients: { to: [{ address }] },
      ...more,
    }),
  );
const page = async (path: string) => {
  const response = await mail.inbox.request(INBOX + path);
  return { response, text: await response.text() };
};
const newestId = async () => (await listed(mail)).messages[0]?.id ?? '';

describe('the list of messages', () => {
  it('is newest first and bounded', async () => {
    for (const subject of ['1', '2', '3']) await sendTo('a@contoso.example', subject);
    expect((await listed(mail, '?limit=2')).messages.map(({ subject }) => subject)).toEqual(['3', '2']);
  });

  it('leaves out what came before a time or a sequence', async () => {
    await sendTo('a@contoso.example', 'old');
    const { sequence } = await listed(mail);
    await sendTo('a@contoso.example', 'new');
    expect((await listed(mail, `?after=${sequence}`)).messages.map(({ subject }) => subject)).toEqual(['new']);
    expect((await listed(mail, '?since=2999-01-01T00:00:00Z')).messages).toEqual([]);
    expect((await listed(mail, '?since=2000-01-01T00:00:00Z')).messages).toHaveLength(2);
  });

  it('says where to go on from when nothing is there', async () => {
    await sendTo('a@contoso.example');
    expect(await listed(mail, '?to=b@contoso.example')).toEqual({ messages: [], sequence: 1 });
  });

  it.each(['?limit=0', '?limit=x', '?since=yesterday', '?wait=-1'])('refuses %s', async (query) => {
    expect((await mail.inbox.request(`${INBOX}/api/messages${query}`)).status).toBe(400);
  });

  it('waits for a mail to that address and passes others by', async () => {
    const waiting = listed(mail, '?to=b@contoso.example&after=0&wait=20000');
    await sendTo('a@contoso.example', 'not this');
    await sendTo('b@contoso.example', 'this');
    expect((await waiting).messages.map(({ subject }) => subject)).toEqual(['this']);
  });

  it('is empty when the wait is over', async () => {
    expect(await listed(mail, '?to=b@contoso.example&after=0&wait=20')).toEqual({ messages: [], sequence: 0 });
  });

  it('ends its waits when the service closes', async () => {
    const waiting = listed(mail, '?wait=60000');
    await mail.close();
    expect((await waiting).messages).toEqual([]);
    mail = openMail(issuer);
  });

  it('gives one message by its id', async () => {
    await sendTo('a@contoso.example', 'one');
    const response = await mail.inbox.request(`${INBOX}/api/messages/${await newestId()}`);
    expect(await response.json()).toMatchObject({
      subject: 'one',
      from: 'gatehouse@contoso.example',
      to: ['a@contoso.example'],
      html: '<p>x</p>',
    });
    expect((await mail.inbox.request(`${INBOX}/api/messages/none`)).status).toBe(404);
  });
});

describe('the pages', () => {
  it('escape everything that came with a mail', async () => {
    const attack = '<script>alert(1)</script>"&';
    await caller.send(
      letter({
        content: { subject: attack, plainText: attack, html: '' },
        recipients: { to: [{ address: 'a@contoso.example', displayName: attack }] },
        headers: { 'X-Attack': attack },
        attachments: [{ name: attack, contentType: attack, contentInBase64: 'eA==' }],
      }),
    );
    const id = await newestId();
    for (const path of [
      '/',
      `/?to=${encodeURIComponent(attack)}`,
      `/messages/${id}`,
      `/messages/${id}?view=headers&to=${encodeURIComponent(attack)}`,
    ]) {
      const { text } = await page(path);
      expect(text).toContain('&lt;script&gt;');
      expect(text).not.toContain('<script');
    }
  });

  it('allow no script and only their own stylesheet', async () => {
    const { response, text } = await page('/');
    const policy = response.headers.get('content-security-policy') ?? '';
    const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? '';
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`'sha256-${Buffer.from(hash).toString('base64')}'`);
    expect(policy).not.toContain('script-src');
  });

  it('count each mailbox and show one alone', async () => {
    await sendTo('a@contoso.example', 'first');
    await sendTo('a@contoso.example', 'second');
    await sendTo('b@contoso.example', 'third');
    const { text } = await page('/?to=a@contoso.example');
    expect(text).toMatch(/a@contoso\.example<\/bdi>\s*<span class="count">2</);
    expect(text).toMatch(/All mail\s*<span class="count">3</);
    expect(text).toContain('second');
    expect(text).not.toContain('third');
  });

  it('lead to older mail', async () => {
    for (let n = 1; n <= 51; n += 1) await sendTo('a@contoso.example', `number ${n}.`);
    const { text } = await page('/');
    expect(text).not.toContain('number 1.');
    const older = /href="(\/\?before=\d+)"/.exec(text)?.[1] ?? '';
    expect((await page(older)).text).toContain('number 1.');
  });

  it('frame the HTML of a mail in a sandbox in which links open beside it', async () => {
    await caller.send(
      letter({
        content: {
          subject: 'S',
          html: '<html><head><title>t</title></head><body><a href="http://localhost:7070/d/1">Open</a></body></html>',
        },
      }),
    );
    const id = await newestId();
    expect((await page(`/messages/${id}`)).text).toMatch(
      new RegExp(`<iframe src="/messages/${id}/html"[^>]*sandbox="allow-popups allow-popups-to-escape-sandbox`),
    );
    const { response, text } = await page(`/messages/${id}/html`);
    expect(response.headers.get('content-security-policy')).toMatch(/^sandbox allow-popups .*default-src 'none'/);
    expect(response.headers.get('content-security-policy')).not.toMatch(/allow-scripts|allow-same-origin/);
    expect(text).toContain('<head><base target="_blank">');
  });

  it('make links of the addresses in a plain text', async () => {
    await caller.send(letter({ content: { subject: 'S', plainText: 'Go (http://localhost:7070/d/1?x=1&y=2).' } }));
    const { text } = await page(`/messages/${await newestId()}`);
    expect(text).toContain(
      '(<a href="http://localhost:7070/d/1?x=1&amp;y=2" target="_blank" rel="noopener noreferrer">http://localhost:7070/d/1?x=1&amp;y=2</a>).',
    );
  });

  it('mark a mail that did not arrive', async () => {
    await admin(mail, 'PUT', 'settings', {
      failRecipients: [{ address: 'a@contoso.example', outcome: 'filteredSpam' }],
    });
    await sendTo('a@contoso.example');
    expect((await page('/')).text).toContain('<span class="badge">Filtered Spam</span>');
  });

  it('hand out attachments as files only', async () => {
    await sendTo('a@contoso.example', 'S', {
      attachments: [{ name: 'ä.html', contentType: 'text/html', contentInBase64: btoa('<b>') }],
    });
    const { response, text } = await page(`/messages/${await newestId()}/attachments/0`);
    expect(text).toBe('<b>');
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''%C3%A4.html");
  });

  it('say so when there is nothing', async () => {
    const { response, text } = await page('/messages/none');
    expect(response.status).toBe(404);
    expect(text).toContain('There is nothing here');
  });
});

describe('the inbox', () => {
  it('answers no other name, so that no foreign site can read it', async () => {
    expect((await mail.inbox.request('http://evil.example/api/messages')).status).toBe(403);
  });

  it('takes no orders from another page', async () => {
    await sendTo('a@contoso.example');
    const response = await mail.inbox.request(`${INBOX}/admin/messages`, {
      method: 'DELETE',
      headers: { origin: 'https://evil.example' },
    });
    expect(response.status).toBe(403);
    expect((await listed(mail)).messages).toHaveLength(1);
  });

  it('takes the faults that its https side then shows', async () => {
    const fault = { path: '^/emails:send', times: 1, fault: { kind: 'answer', status: 503 } };
    expect((await admin(mail, 'POST', 'faults', fault)).status).toBe(204);
    expect((await sendTo('a@contoso.example')).status).toBe(503);
    expect((await sendTo('a@contoso.example')).status).toBe(202);
    const calls = (await (await admin(mail, 'GET', 'calls')).json()) as { status: number }[];
    expect(calls.map(({ status }) => status)).toEqual([503, 202]);
  });
});

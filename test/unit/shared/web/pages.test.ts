import { people } from '../../../../local/demo-tenant';
import type { RequestFacts } from '../../../../shared/mail/messages';
import { decisionPage, receiptPage } from '../../../../shared/web/pages/decision';
import { pageStyle } from '../../../../shared/web/pages/layout';
import { messagePage, otherAccountPage, signInPage, signInUnavailablePage } from '../../../../shared/web/pages/message';
import { facts, hostile, pages } from '../../../browser/samples';

const every = Object.entries(pages).map(([name, page]) => [name, String(page)] as const);

function decision(changed: Partial<Parameters<typeof decisionPage>[0]> = {}): string {
  return String(
    decisionPage({
      facts,
      signedInAs: 'Olivia Okafor',
      otherApprovers: ['Omar Haddad'],
      timeline: [],
      form: { action: '/decide/1', token: 't' },
      ...changed,
    }),
  );
}

const inputs = (page: string, value: string): string | undefined =>
  page.match(new RegExp(`<input[^>]*value="${value}"[^>]*>`))?.[0];

describe.each(every)('the page %s', (_, page) => {
  test('holds the one style sheet to the letter, and no other style', () => {
    expect(page.match(/<style>.*?<\/style>/gs)).toEqual([`<style>${pageStyle}</style>`]);
    expect(page).not.toMatch(/<[^>]*\sstyle=/);
  });

  test('has no script, no handler, and asks no other host for anything', () => {
    expect(page).not.toMatch(/<script|<[a-z]+[^>"]*\son[a-z]+=|javascript:|<link|<img|<iframe|@import|url\(/i);
  });

  test('is a document in English with one heading, one main part, and not to be indexed', () => {
    expect(page).toMatch(/^<!doctype html>\s*<html lang="en"/);
    expect(page.match(/<h1>/g)).toHaveLength(1);
    expect(page.match(/<main/g)).toHaveLength(1);
    expect(page).toContain('<meta name="robots" content="noindex, nofollow" />');
    expect(page).toContain('<meta name="viewport" content="width=device-width, initial-scale=1" />');
  });
});

describe('the decision page', () => {
  test('shows who asks for what, why, for how long, until when, and who else can decide', () => {
    const page = decision({
      deadline: new Date('2026-11-27T14:05:00Z'),
      timeline: [{ at: new Date('2026-11-24T14:06:00Z'), text: 'Mail sent', by: 'Gatehouse' }],
    });
    for (const shown of [
      'Rita Lindqvist asks to join Design Studio',
      'Product Designer · Design',
      'rita@contoso.example',
      facts.justification,
      'Designers, researchers and illustrators.',
      '30 days',
      'Tue 24 November 2026, 14:05 UTC',
      'Fri 27 November 2026, 14:05 UTC',
      '<bdi>Omar Haddad</bdi>',
      'Signed in as <bdi>Olivia Okafor</bdi>',
      '<time datetime="2026-11-24T14:06:00.000Z">Tue 24 November 2026, 14:06 UTC</time>',
      'Mail sent',
      'JR-7F3K-92QD',
    ]) {
      expect(page).toContain(shown);
    }
  });

  test('posts decision, comment and token to its action, with one button', () => {
    const page = decision({ form: { action: '/decide/"x', token: 'a"b' } });
    expect(page).toContain('<form method="post" action="/decide/&quot;x">');
    expect(page).toContain('<input type="hidden" name="token" value="a&quot;b" />');
    expect([...page.matchAll(/ name="(decision|comment|token)"/g)].map(([, name]) => name)).toEqual([
      'token',
      'decision',
      'decision',
      'comment',
    ]);
    expect(page.match(/<button|type="submit"/g)).toEqual(['<button', 'type="submit"']);
    expect(page).toMatch(/<textarea[^>]*maxlength="500"/);
  });

  test.each(['approve', 'deny'] as const)('preselects %s where the mail did, and only that', (preselected) => {
    const page = decision({ preselected });
    expect(inputs(page, preselected)).toContain(' checked');
    expect(inputs(page, preselected === 'approve' ? 'deny' : 'approve')).not.toContain(' checked');
  });

  test('preselects nothing where the mail did not', () => {
    expect(decision()).not.toContain(' checked');
  });

  test('says on top, in the title and as an alert, why the last attempt did not count', () => {
    const page = decision({ problem: 'Choose <one>.' });
    expect(page).toMatch(/role="alert">\s*<h2>Your decision was not recorded<\/h2>\s*<p>Choose &lt;one&gt;\.<\/p>/);
    expect(page).toContain('<title>Problem: Rita');
    expect(decision()).not.toContain('role="alert"');
  });

  test('says that nobody else can decide, and that no reason was given', () => {
    const page = decision({ otherApprovers: [], facts: { ...facts, justification: ' \n ' } });
    expect(page).toContain('Nobody else');
    expect(page).toContain('No reason was given.');
  });

  test('keeps the lines of the reason', () => {
    expect(decision({ facts: { ...facts, justification: 'One.\r\nTwo.' } })).toContain('One.<br />Two.');
  });
});

describe('texts of other people', () => {
  test.each(['decision-problem', 'receipt-hostile'])('are escaped and can not turn the text around: %s', (name) => {
    const receipt = receiptPage({
      facts: hostile,
      signedInAs: people.bidi.displayName,
      heading: hostile.groupName,
      sentence: hostile.justification,
      timeline: [{ at: hostile.filedAt, text: hostile.groupName, by: people.bidi.displayName }],
    });
    const page = String(name === 'decision-problem' ? pages[name] : receipt);
    expect(page).not.toMatch(/<script|<form action="https|<img|<b>|<h1 on/);
    expect(page).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u200E\u200F]/);
    expect(page).toContain('&lt;script&gt;alert(&#39;group&#39;)&lt;/script&gt; &amp; Co');
  });
});

describe('pages for people who may not see a request', () => {
  const secret: (keyof RequestFacts)[] = ['reference', 'groupName', 'justification'];

  test.each([
    ['sign in', String(signInPage({ signInUrl: '/login' }))],
    ['other account', String(otherAccountPage({ signOutUrl: '/logout' }))],
    ['no sign-in', String(signInUnavailablePage())],
  ])('tell nothing of any request: %s', (_, page) => {
    for (const key of secret) expect(page).not.toContain(facts[key]);
    expect(page).not.toContain(facts.requester.name);
    expect(page).not.toContain('Signed in as');
  });

  test('offer sign-in and sign-out where there is such a thing', () => {
    expect(String(signInPage({ signInUrl: '/login?a=1&b=2' }))).toContain('href="/login?a=1&amp;b=2"');
    expect(String(otherAccountPage({ signOutUrl: '/logout' }))).toContain('href="/logout"');
    expect(String(signInUnavailablePage())).not.toContain('<a ');
  });
});

test('a message is a heading, a sentence and a link', () => {
  const page = String(
    messagePage({ heading: 'Gone', sentence: 'It is <gone>.', link: { href: '/a?"', text: 'Back' } }),
  );
  expect(page).toContain('<h1>Gone</h1>');
  expect(page).toContain('It is &lt;gone&gt;.');
  expect(page).toMatch(/href="\/a\?&quot;"\s*>Back</);
  expect(String(messagePage({ heading: 'Gone', sentence: 'It is.' }))).not.toContain('<a ');
});

import { people } from '../../../../local/demo-tenant';
import type { RequestFacts } from '../../../../shared/mail/messages';
import { decisionPage, receiptPage } from '../../../../shared/web/pages/decision';
import { shorterDurations } from '../../../../shared/web/pages/duration-select';
import { pageStyle } from '../../../../shared/web/pages/layout';
import { membershipPage } from '../../../../shared/web/pages/membership';
import { messagePage, otherAccountPage, signInPage, signInUnavailablePage } from '../../../../shared/web/pages/message';
import { extension, facts, hostile, hostileExtension, pages } from '../../../browser/samples';

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

function membership(changed: Partial<Parameters<typeof membershipPage>[0]> = {}): string {
  return String(
    membershipPage({
      facts,
      signedInAs: 'Rita Lindqvist',
      from: new Date('2026-11-25T09:12:00Z'),
      until: new Date('2026-12-25T09:12:00Z'),
      timeline: [],
      form: { action: '/memberships/1', token: 't' },
      lapsing: false,
      justificationRequired: true,
      ...changed,
    }),
  );
}

/** The forms of a page by their `action` field, or by their `decision`. */
function formsOf(page: string): Record<string, string> {
  const forms = page.match(/<form.*?<\/form>/gs) ?? [];
  return Object.fromEntries(forms.map((form) => [form.match(/name="action" value="(\w+)"/)?.[1] ?? 'decision', form]));
}

/** What a form posts, by name, in order. */
const fieldsOf = (form = ''): string[] =>
  [...form.matchAll(/<(?:input|textarea|select)\b[^>]*? name="(\w+)"/g)].map(([, name]) => name ?? '');

const optionsOf = (page: string): [string, string][] =>
  [...page.matchAll(/<option value="([^"]*)">([^<]*)<\/option>/g)].map(([, value, text]) => [value ?? '', text ?? '']);

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

  test('has no label without words or field, no fact without a value, and no id twice', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const refers = [...page.matchAll(/\s(?:for|aria-labelledby|aria-describedby)="([^"]+)"/g)].map(([, id]) => id);
    expect(refers.filter((id) => !ids.includes(id))).toEqual([]);
    expect(page).not.toMatch(/<(dt|dd|label|legend|h1|h2|option|button)\b[^>]*>\s*<\/\1>/);
    expect(page).not.toMatch(/undefined|\bnull\b|NaN|Invalid Date|Infinity|\[object/);
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
      '4f1c3a529d0e4c578f0a2b7d9c1e6a30',
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

  test.each([
    [
      { choice: 'approve', changesLeft: 2 },
      'You approved. Until the others have decided you can change your mind 2 more',
    ],
    [
      { choice: 'approve', duration: 'P7D', changesLeft: 2 },
      'You approved, for 7 days. Until the others have decided you can change your mind 2 more',
    ],
    [
      { choice: 'deny', changesLeft: 1 },
      'You denied. Until the others have decided you can change your mind once more.',
    ],
  ] as const)('says what the person decided before, and preselects it: %j', (mine, words) => {
    const page = decision({ mine });
    expect(page).toContain(words);
    expect(inputs(page, mine.choice)).toContain(' checked');
    expect(page.match(/ checked/g)).toHaveLength(1);
    expect(page).toContain('Your decision stays as it is until you confirm.');
    const other = mine.choice === 'approve' ? 'deny' : 'approve';
    expect(inputs(decision({ mine, preselected: other }), other)).toContain(' checked');
  });

  test('says after an approval for a shorter time that it is for that time, not for what was asked', () => {
    const page = decision({ mine: { choice: 'approve', duration: 'P7D', changesLeft: 2 } });
    expect(page).toContain('may join Design Studio, for 7 days.');
  });

  test('keeps the time that was chosen where the rest was not accepted', () => {
    const page = decision({ problem: 'Choose.', shorten: { selected: 'P7D' } });
    expect(page).toMatch(/<option value="P7D" selected>/);
    expect(page.match(/ selected>/g)).toHaveLength(1);
  });

  test('offers nothing to press where the mind can’t be changed any more', () => {
    const page = decision({ mine: { choice: 'deny', changesLeft: 0 }, shorten: {} });
    expect(page).toContain('You denied. Others still decide; you can’t change your mind any more.');
    expect(page).not.toMatch(/<form|<button|<input|<select/);
  });

  test('says how many must approve where it is more than one', () => {
    expect(decision({ progress: { required: 2, approvals: 1 } })).toContain(
      '<dd>2 people must approve; 1 has so far</dd>',
    );
    expect(decision({ progress: { required: 1, approvals: 0 } })).not.toContain('Approvals');
    expect(decision()).not.toContain('Approvals');
  });

  test('offers shorter times where the time may be shortened, and what was asked for first', () => {
    const page = decision({ shorten: {} });
    expect(fieldsOf(formsOf(page).decision)).toEqual(['token', 'decision', 'decision', 'duration', 'comment']);
    expect(optionsOf(page)).toEqual([
      ['', 'As asked: 30 days'],
      ['P1D', '1 day'],
      ['P7D', '7 days'],
    ]);
    expect(optionsOf(decision({ shorten: {}, facts: { ...facts, duration: undefined } }))[0]).toEqual([
      '',
      'As asked: no end date',
    ]);
  });

  test('offers no times where none is shorter, or the time may not be shortened', () => {
    for (const page of [decision({ shorten: {}, facts: { ...facts, duration: 'PT8H' } }), decision()])
      expect(page).not.toMatch(/<select|Shorten/);
  });

  test('says of an extension that the person stays, and what a denial means', () => {
    const page = decision({ facts: extension });
    expect(page).toContain('<h1>Rita Lindqvist asks to stay in Design Studio</h1>');
    expect(page).toMatch(/<dt>Membership ends<\/dt>\s*<dd>Fri 25 December 2026, 09:12 UTC<\/dd>/);
    expect(page).toContain('Rita Lindqvist may stay in Design Studio, for 180 days.');
    expect(page).toContain('The membership ends as before, on Fri 25 December 2026, 09:12 UTC.');
    expect(page).not.toMatch(/\bjoin\b/);
    expect(decision()).not.toMatch(/\bstay\b|Membership ends/);
  });

  test('keeps the lines of the reason', () => {
    expect(decision({ facts: { ...facts, justification: 'One.\r\nTwo.' } })).toContain('One.<br />Two.');
  });
});

describe('shorter times', () => {
  test.each([
    ['P30D', undefined, ['P1D', 'P7D']],
    ['P31D', undefined, ['P1D', 'P7D', 'P30D']],
    ['P1W', undefined, ['P1D']],
    ['P1D', undefined, []],
    [undefined, undefined, ['P1D', 'P7D', 'P30D', 'P90D', 'P180D', 'P365D']],
    [undefined, 'P90D', ['P1D', 'P7D', 'P30D', 'P90D']],
    ['P365D', 'PT200H', ['P1D', 'P7D']],
    ['P1Y', undefined, []],
    [undefined, 'soon', []],
  ])('than %s, of at most %s, are %j', (asked, maximum, offered) => {
    expect(shorterDurations(asked, maximum)).toEqual(offered);
  });
});

describe('the membership page', () => {
  test('tells the member of what, from when and until when', () => {
    const page = membership({ timeline: [{ at: new Date('2026-11-25T09:12:00Z'), text: 'Joined' }] });
    for (const shown of [
      '<h1>Your membership in Design Studio</h1>',
      'Signed in as <bdi>Rita Lindqvist</bdi>',
      '<dd>Wed 25 November 2026, 09:12 UTC</dd>',
      '<dd>Fri 25 December 2026, 09:12 UTC</dd>',
      'Designers, researchers and illustrators.',
      '4f1c3a529d0e4c578f0a2b7d9c1e6a30',
      'Joined',
    ])
      expect(page).toContain(shown);
  });

  test('has a form for each thing to do, with its own button, the token and the action', () => {
    const forms = formsOf(membership({ form: { action: '/m/"x', token: 'a"b' }, durations: ['P30D'] }));
    expect(Object.fromEntries(Object.entries(forms).map(([action, form]) => [action, fieldsOf(form)]))).toEqual({
      extend: ['token', 'action', 'justification', 'duration'],
      lapse: ['token', 'action'],
      leave: ['token', 'action', 'sure'],
    });
    for (const form of Object.values(forms)) {
      expect(form).toContain('<form method="post" action="/m/&quot;x">');
      expect(form).toContain('<input type="hidden" name="token" value="a&quot;b" />');
      expect(form.match(/<button[^>]*type="submit"/g)).toHaveLength(1);
    }
    expect(forms.leave).toContain('<input type="checkbox" name="sure" value="yes" required />');
  });

  test('asks for a reason in the group’s words, and for one at all only where it must be', () => {
    const page = membership({ prompt: 'Name the\n<project>.' });
    expect(page).toContain('Name the<br />&lt;project&gt;.');
    expect(page).toMatch(/<textarea[^>]* maxlength="2000"[^>]* required\s*>/);
    const free = membership({ justificationRequired: false });
    expect(free).not.toMatch(/<textarea[^>]* required/);
    expect(free).toMatch(/Why you need to stay <span class="soft">\(optional\)/);
  });

  test('offers the durations that it is given, and none where there are none', () => {
    expect(optionsOf(membership({ durations: ['P30D', 'PT8H'] }))).toEqual([
      ['', 'As long as is usual for this group'],
      ['P30D', '30 days'],
      ['PT8H', '8 hours'],
    ]);
    for (const durations of [undefined, []]) expect(membership({ durations })).not.toContain('<select');
  });

  test('keeps what was typed and chosen where it was not accepted', () => {
    const page = membership({
      problem: 'Too short.',
      durations: ['P30D', 'P90D'],
      typed: { justification: '<Still> needed', duration: 'P90D' },
    });
    expect(page).toMatch(/<textarea[^>]*>\n?&lt;Still&gt; needed<\/textarea>/);
    expect(page).toMatch(/<option value="P90D" selected>/);
  });

  test('offers only to leave where there is no end', () => {
    const page = membership({ until: undefined });
    expect(Object.keys(formsOf(page))).toEqual(['leave']);
    expect(page).toContain('<dd>No end date</dd>');
  });

  test('says so where it lapses, and where an extension waits, and offers neither again', () => {
    const lapsing = membership({ lapsing: true });
    expect(Object.keys(formsOf(lapsing))).toEqual(['extend', 'leave']);
    expect(lapsing).toContain(
      'Your membership ends on Fri 25 December 2026, 09:12 UTC. You get no more warnings before.',
    );
    const waiting = membership({ extensionLink: '/r/1?"' });
    expect(Object.keys(formsOf(waiting))).toEqual(['lapse', 'leave']);
    expect(waiting).toMatch(/It is not decided yet\. <a href="\/r\/1\?&quot;">See the request<\/a>/);
  });

  test('offers nothing where nothing is left to choose', () => {
    expect(membership({ form: undefined })).not.toMatch(/<form|<button|<input/);
  });

  test('claims no time of membership where there is none', () => {
    const page = membership({ from: undefined, until: undefined, form: undefined, done: 'The request is pending.' });
    expect(page).not.toMatch(/Member (since|until)|No end date/);
    expect(page).toContain('<dt>Group</dt>');
  });

  test('says what was done, or why nothing was', () => {
    const done = membership({ done: 'You <left>.' });
    expect(done).toContain('<p class="done" role="status">You &lt;left&gt;.</p>');
    expect(done).not.toContain('role="alert"');
    expect(membership({ done: ' ' })).not.toContain('role="status"');
    const failed = membership({ problem: 'Give a <reason>.' });
    expect(failed).toMatch(/role="alert">\s*<h2>Nothing was changed<\/h2>\s*<p>Give a &lt;reason&gt;\.<\/p>/);
    expect(failed).toContain('<title>Problem: Your membership');
    expect(failed).not.toContain('role="status"');
  });
});

describe('texts of other people', () => {
  const receipt = receiptPage({
    facts: hostile,
    signedInAs: people.bidi.displayName,
    heading: hostile.groupName,
    sentence: hostile.justification,
    timeline: [{ at: hostile.filedAt, text: hostile.groupName, by: people.bidi.displayName }],
  });

  test.each([
    ['decision', String(pages['decision-problem'])],
    ['extension', decision({ facts: hostileExtension, shorten: {}, mine: { choice: 'approve', changesLeft: 1 } })],
    ['receipt', String(receipt)],
    ['membership', String(pages['membership-problem'])],
    ['endless membership', membership({ facts: hostile, until: undefined })],
  ])('are escaped and can not turn the text around: %s', (_, page) => {
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

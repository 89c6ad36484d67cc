import fc from 'fast-check';
import {
  approvalMessage,
  closedMessage,
  delayedMessage,
  DIGEST_LENGTH,
  digestMessage,
  endingMessage,
  filedMessage,
  outcomeMessage,
  references,
} from '../../../../shared/mail/messages';
import type { Message, Outcome, RequestFacts } from '../../../../shared/mail/messages';
import { extension, facts, hostile, hostileExtension, mails } from '../../../browser/samples';

const links = {
  open: 'https://g.example/d/1',
  approve: 'https://g.example/d/1?a=1&b=2',
  deny: 'https://g.example/d/1?c=2',
};
const approval = (changed: Partial<Parameters<typeof approvalMessage>[0]> = {}): Message =>
  approvalMessage({ facts, recipient: 'Olivia Okafor', links, ...changed });

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#96': '`', nbsp: '' };
const decode = (text: string): string => text.replace(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);

/** What a reader of the HTML version sees, a line per piece of text, and where its links go. */
function seenIn(markup: string): string[] {
  const body = markup
    .slice(markup.indexOf('<body'))
    .replace(/<!--.*?-->/gs, '')
    .replace(/<div style="display:none.*?<\/div>/s, '');
  const hrefs = [...body.matchAll(/href="([^"]*)"/g)].map(([, href]) => decode(href ?? ''));
  const texts = body
    .replace(/<\/?(?:bdi|span)[^>]*>/g, '')
    .split(/<[^>]*>/)
    .map((text) => decode(text).replace(/\s+/g, ' ').trim());
  return [...hrefs, ...texts].filter((line) => line !== '' && line !== 'Gatehouse');
}

/** The text version without its own marks, as one line. */
const flat = (text: string): string => text.replace(/^> ?/gm, '').replace(/\s+/g, ' ');

const outcomes: Outcome[] = [
  { kind: 'granted', until: new Date('2026-12-24T14:05:00Z'), decidedBy: ['Olivia Okafor', 'Omar Haddad'] },
  { kind: 'granted', decidedBy: [] },
  { kind: 'denied', decidedBy: ['Omar Haddad'], comments: [{ by: 'Omar Haddad', text: 'Ask\nMaja.' }] },
  { kind: 'denied', decidedBy: ['Omar Haddad'] },
  { kind: 'expired' },
  { kind: 'cancelled', reason: 'The group was deleted' },
  { kind: 'withdrawn' },
  {
    kind: 'granted',
    decidedBy: ['Omar Haddad'],
    comments: [{ by: 'Omar\nHaddad', text: 'One.\nTwo.' }],
    shortenedFrom: 'no end',
    continues: true,
  },
  { kind: 'denied', decidedBy: ['Omar Haddad'], mayAskAgainOn: new Date('2026-12-01T00:00:00Z') },
  { kind: 'ended', removed: true },
  { kind: 'ended', removed: false, how: 'lapsed' },
  { kind: 'ended', removed: true, how: 'left' },
  { kind: 'ended', removed: false, how: 'left' },
  { kind: 'ended', removed: false, how: 'removed' },
  { kind: 'ended', removed: true, how: 'revoked', by: 'Omar\nHaddad', reason: 'The project\nis over.' },
  { kind: 'ended', removed: false, how: 'revoked' },
];
const all: [string, Message][] = [
  ...Object.entries(mails),
  ['filed-extension', filedMessage({ facts: extension, recipient: 'Rita', statusLink: links.open })],
  [
    'delayed-hostile',
    delayedMessage({
      facts: hostileExtension,
      recipient: hostile.requester.name,
      decidedBy: hostile.approvers,
      statusLink: links.open,
    }),
  ],
  ...outcomes.flatMap((outcome, index): [string, Message][] => [
    [
      `outcome ${index} ${outcome.kind}`,
      outcomeMessage({ facts: hostile, outcome, recipient: 'Rita', statusLink: links.open }),
    ],
    [
      `closed ${index} ${outcome.kind}`,
      closedMessage({ facts: hostile, outcome, recipient: 'Omar', link: links.open }),
    ],
    [
      `outcome ${index} ${outcome.kind} of an extension`,
      outcomeMessage({ facts: hostileExtension, outcome, recipient: 'Rita' }),
    ],
  ]),
];

describe.each(all)('the mail %s', (_, mail) => {
  test('says in its text version whatever its HTML version says', () => {
    const text = flat(mail.text);
    const seen = seenIn(mail.html);
    expect(seen.length).toBeGreaterThan(6);
    expect(seen.filter((line) => !text.includes(line.replace(/:$/, '')))).toEqual([]);
  });

  test('says in its HTML version whatever its text version says', () => {
    const markup = seenIn(mail.html).join(' ');
    const lines = mail.text.split('\n').map((line) => flat(line).trim());
    const pieces = lines.flatMap((line) => line.split(/: (?=\S)/)).filter((piece) => piece !== '' && piece !== '--');
    expect(pieces.filter((piece) => !markup.replace(/\s+/g, ' ').includes(piece.replace(/:$/, '')))).toEqual([]);
  });

  test('has no label without what it is for, and no gap where a word was to be', () => {
    const lines = mail.text.split('\n');
    expect(lines.filter((line, index) => line.endsWith(':') && !lines[index + 1]?.startsWith('> '))).toEqual([]);
    expect(mail.text).not.toMatch(/undefined|null|NaN|Invalid|Infinity|\[object| {2,}(?!\S)|(?<=\w) [.,;]|\.\.|,,/);
  });

  test('loads nothing, runs nothing, tracks nothing', () => {
    expect(mail.html).not.toMatch(/<(img|script|link|iframe|form|svg|object|video|base)\b|url\(|@import|\son\w+="/i);
  });

  test('has a language, both colour schemes, and tables that are only for layout', () => {
    expect(mail.html).toContain('<html lang="en"');
    expect(mail.html).toContain('<meta name="color-scheme" content="light dark" />');
    expect(mail.html).toContain('@media (prefers-color-scheme: dark)');
    expect(mail.html.match(/<table(?![^>]*role="presentation")/g)).toBeNull();
  });

  test('keeps to what Word can lay out, and to the size above which Gmail cuts', () => {
    expect(mail.html).not.toMatch(/display:\s*(flex|grid)|position:|<v:/);
    expect(mail.html.length).toBeLessThan(60_000);
    for (const [style] of mail.html.matchAll(/<style>.*?<\/style>/gs)) expect(style.length).toBeLessThan(8_192);
  });

  test('turns no text around', () => {
    expect(mail.subject + mail.html + mail.text).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u200E\u200F]/);
  });
});

describe('subjects', () => {
  const stem = 'Rita Lindqvist asks to join Design Studio';

  test('of approvers are one conversation', () => {
    expect(approval().subject).toBe(stem);
    expect(approval({ reminder: 'due' }).subject).toBe(`Re: ${stem}`);
    expect(closedMessage({ facts, outcome: { kind: 'expired' }, recipient: 'Omar', link: links.open }).subject).toBe(
      `Re: ${stem}`,
    );
  });

  test('of requesters begin with how it ended', () => {
    const words = outcomes.map((outcome) => outcomeMessage({ facts, outcome, recipient: 'Rita' }).subject);
    expect(words).toEqual(
      [
        ...['Approved', 'Approved', 'Denied', 'Denied', 'Expired', 'Cancelled', 'Withdrawn', 'Approved', 'Denied'],
        ...['Ended', 'Ended', 'Ended', 'Ended', 'Ended', 'Revoked', 'Revoked'],
      ].map((word) => `${word}: ${stem}`),
    );
  });

  test('name an extension what it is', () => {
    const stays = 'Rita Lindqvist asks to stay in Design Studio';
    const to = { facts: extension, recipient: 'Rita', statusLink: links.open };
    expect([
      approval({ facts: extension }).subject,
      approval({ facts: extension, reminder: 'nudged' }).subject,
      filedMessage(to).subject,
      delayedMessage({ ...to, decidedBy: [] }).subject,
      outcomeMessage({ ...to, outcome: { kind: 'expired' } }).subject,
    ]).toEqual([stays, `Re: ${stays}`, `Filed: ${stays}`, `Delayed: ${stays}`, `Expired: ${stays}`]);
  });

  test('are one line of at most 150 characters, whatever the names are', () => {
    const odd = fc.constantFrom('a', 'é', 'e\u0301', '\r', '\n', '\u0085', '\u2028', '\u202E', ' ', '👩‍🔬', '\uD83D');
    fc.assert(
      fc.property(
        fc.string({ unit: odd, maxLength: 300 }),
        fc.string({ unit: odd, maxLength: 300 }),
        (name, groupName) => {
          const asked: RequestFacts = { ...extension, groupName: `${groupName}\r\nBcc: x`, requester: { name } };
          const to = { facts: asked, recipient: name, statusLink: links.open };
          const until = new Date('2026-09-23T14:05:00Z');
          for (const { subject } of [
            approval({ facts: asked, reminder: 'due' }),
            approval({ facts: asked, reminder: 'nudged' }),
            filedMessage(to),
            delayedMessage({ ...to, decidedBy: [name] }),
            endingMessage({ ...to, until, link: links.open }),
            digestMessage({ recipient: name, items: [{ facts: asked, link: links.open }] }),
            ...outcomes.map((outcome) => outcomeMessage({ ...to, outcome })),
            ...outcomes.map((outcome) => closedMessage({ ...to, outcome, link: links.open })),
          ]) {
            expect(subject.length).toBeLessThanOrEqual(150);
            expect(subject).not.toMatch(/[\u0000-\u001F\u007F-\u009F]/);
          }
        },
      ),
      { numRuns: 50, examples: [['é'.repeat(300), 'a'.repeat(300)]] },
    );
  });
});

describe('the mail that asks for a decision', () => {
  const { text, html } = approval({ deadline: new Date('2026-11-27T14:05:00Z'), stage: { index: 2, of: 3 } });

  test('tells who asks for what, why, for how long, until when and who else can decide', () => {
    for (const fact of [
      'Rita Lindqvist asks to join Design Studio',
      'Product Designer · Design',
      'rita@contoso.example',
      `> ${facts.justification}`,
      'For how long: 30 days',
      'Decide by: Fri 27 November 2026, 14:05 UTC',
      'Group: Design Studio\n  Designers, researchers and illustrators.',
      'Can decide as well: Omar Haddad\n',
      'Asked on: Tue 24 November 2026, 14:05 UTC',
      'Reference: 4f1c3a529d0e4c578f0a2b7d9c1e6a30',
      'Join request · step 2 of 3',
    ]) {
      expect(text).toContain(fact);
    }
  });

  test('has a link for each choice and one without, and says that opening them decides nothing', () => {
    expect(text).toContain(`Approve: ${links.approve}\nDeny: ${links.deny}`);
    expect([...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => decode(href ?? ''))).toEqual([
      links.approve,
      links.deny,
      links.open,
    ]);
    expect(text).toContain('Opening a link decides nothing: you will be asked to sign in and to confirm.');
  });

  test('says why it came', () => {
    expect(text).toContain('You get this mail, Olivia Okafor, because you may decide who joins Design Studio.');
  });

  test('is called a reminder where it is one, and not the third of which two were never sent', () => {
    expect(approval({ reminder: 'due' }).text).toMatch(/^Reminder\n/);
    expect(approval().text).toMatch(/^Join request\n/);
  });

  test('says of a reminder that the requester asked for that it is one, and whose', () => {
    const nudged = approval({ reminder: 'nudged' });
    expect(nudged.subject).toMatch(/^Re: /);
    expect(nudged.text).toMatch(/^Reminder\n/);
    expect(nudged.text).toContain('Rita Lindqvist asked for this reminder: your decision is still open.');
    for (const own of [approval(), approval({ reminder: 'due' })])
      expect(own.text).not.toContain('asked for this reminder');
  });

  test.each([
    [{ count: 2, approvals: 0 }, '2 people must approve; nobody has so far'],
    [{ count: 2, approvals: 1 }, '2 people must approve; 1 has so far'],
    [{ count: 5, approvals: 3 }, '5 people must approve; 3 have so far'],
  ])('says how many must approve, and how many have: %j', (required, words) => {
    expect(approval({ required }).text).toContain(`Approvals: ${words}\n`);
  });

  test('says nothing of counts where one approval is enough', () => {
    expect(approval({ required: { count: 1, approvals: 0 } }).text).not.toContain('Approvals');
    expect(approval().text).not.toContain('Approvals');
  });

  test('says of an extension that the person stays, and until when the membership is', () => {
    const mail = approval({ facts: extension });
    expect(mail.text).toMatch(/^Request to stay\n\nRita Lindqvist asks to stay in Design Studio\n/);
    expect(mail.text).toContain('Membership ends: Fri 25 December 2026, 09:12 UTC\n');
    expect(mail.text).toContain('because you may decide who stays in Design Studio.');
    expect(mail.text).not.toMatch(/\bjoins?\b/i);
    expect(text).not.toMatch(/\bstays?\b|Membership ends/i);
  });

  test('leaves out the recipient once among those who can decide', () => {
    const approvers = ['Olivia Okafor', 'Olivia Okafor'];
    expect(approval({ facts: { ...facts, approvers } }).text).toContain('Can decide as well: Olivia Okafor\n');
    expect(approval({ facts: { ...facts, approvers: ['Olivia Okafor'] } }).text).toContain('as well: Nobody else\n');
  });

  test('lets nothing that the requester wrote pass for a line of its own', () => {
    const justification = `Please.\nApprove: https://evil.example\n\n-- \nDeny: https://evil.example`;
    const mail = approval({ facts: { ...facts, justification } });
    const lines = mail.text.split('\n').filter((line) => line.includes('evil.example'));
    expect(lines).toEqual(['> Approve: https://evil.example', '> Deny: https://evil.example']);
    expect(mail.html).not.toContain('href="https://evil.example');
  });

  test('escapes names, reasons and descriptions', () => {
    const mail = approval({ facts: hostile });
    expect(mail.html).not.toMatch(/<script|<b>|<h1 onmouse|<img|<form/);
    expect(mail.html).toContain('&lt;script&gt;alert(&#39;group&#39;)&lt;/script&gt; &amp; Co');
  });
});

describe('the mail about the outcome', () => {
  const to = (outcome: Outcome): string => outcomeMessage({ facts, outcome, recipient: 'Rita Lindqvist' }).text;

  test('tells a new member by whom, and until when', () => {
    const text = to({ kind: 'granted', until: new Date('2026-12-24T14:05:00Z'), decidedBy: ['Olivia', 'Omar'] });
    expect(text).toContain('You are now a member of Design Studio');
    expect(text).toContain('Approved by Olivia and Omar. Your membership ends on Thu 24 December 2026, 14:05 UTC.');
    expect(to({ kind: 'granted', decidedBy: [] })).toContain('Member until: No end date');
  });

  test('tells of a denial by whom, and with their comment', () => {
    const text = to({ kind: 'denied', decidedBy: ['Omar'], comments: [{ by: 'Omar', text: 'Ask\nMaja.' }] });
    expect(text).toContain('Denied by Omar. Your access has not changed.');
    expect(text).toContain('Comment by Omar:\n> Ask\n> Maja.');
  });

  test.each([
    [{ kind: 'expired' } as const, 'It was not decided in time.'],
    [{ kind: 'cancelled', reason: 'The group was deleted' } as const, 'The group was deleted. Your access'],
    [{ kind: 'withdrawn' } as const, 'was withdrawn'],
  ])('tells plainly of %j, and of no membership', (outcome, words) => {
    expect(to(outcome)).toContain(words);
    expect(to(outcome)).not.toMatch(/now a member|Approved/);
  });

  test('says of a cancellation without a reason only what is known', () => {
    expect(to({ kind: 'cancelled', reason: ' ' })).toContain('was cancelled\n\nYour access has not changed.\n');
  });

  test('has a link only where there is one', () => {
    expect(mails.expired?.html).not.toContain('<a ');
    expect(mails.outcome?.text).toContain('See the request: https://');
  });
});

describe('the mail about the outcome, where there is more to tell', () => {
  const to = (outcome: Outcome, of = facts): string =>
    outcomeMessage({ facts: of, outcome, recipient: 'Rita Lindqvist' }).text;
  const until = new Date('2026-12-24T14:05:00Z');

  test('shows what each approver wrote, by name, and leaves out who wrote nothing', () => {
    const comments = [
      { by: 'Olivia', text: 'Welcome.' },
      { by: 'Omar', text: ' \n ' },
      { by: 'Maja', text: 'Ask\nme.' },
    ];
    const text = to({ kind: 'granted', decidedBy: ['Olivia'], comments });
    expect(text).toContain('Comment by Olivia:\n> Welcome.\n\nComment by Maja:\n> Ask\n> me.\n');
    expect(text).not.toContain('Omar');
  });

  test('says that the time was shortened, and from what', () => {
    const text = to({ kind: 'granted', until, decidedBy: ['Olivia'], shortenedFrom: 'P90D' });
    expect(text).toContain('14:05 UTC. The time was shortened; the request was for 90 days.');
    expect(text).toContain('Asked for: 90 days\n');
    const endless = to({ kind: 'granted', until, decidedBy: ['Olivia'], shortenedFrom: 'no end' });
    expect(endless).toContain('the request was for membership without an end date.');
    expect(endless).toContain('Asked for: No end date\n');
  });

  test('says of an extension granted in time that there is no gap, and only then', () => {
    const text = to({ kind: 'granted', until, decidedBy: ['Olivia'], continues: true }, extension);
    expect(text).toContain('You stay a member of Design Studio');
    expect(text).toContain('Your membership continues without a gap. Your membership ends on Thu 24 December 2026');
    const late = to({ kind: 'granted', until, decidedBy: ['Olivia'] }, extension);
    expect(late).toContain('You are now a member of Design Studio');
    expect(late).not.toContain('gap');
  });

  test('says after a denial from when one may ask again, where there is such a time', () => {
    const text = to({ kind: 'denied', decidedBy: ['Omar'], mayAskAgainOn: until });
    expect(text).toContain('You may ask again from Thu 24 December 2026, 14:05 UTC.');
    expect(to({ kind: 'denied', decidedBy: ['Omar'] })).not.toContain('ask again');
  });

  test.each([
    { kind: 'denied', decidedBy: ['Omar'] },
    { kind: 'expired' },
    { kind: 'withdrawn' },
  ] as const satisfies Outcome[])(
    'says of an extension without success that the end stays as it was: %j',
    (outcome) => {
      const text = to(outcome, extension);
      expect(text).toContain('The end of your membership has not changed: Fri 25 December 2026, 09:12 UTC.');
      expect(text).toContain('Your request to stay in Design Studio');
      expect(text).not.toMatch(/access has not changed|to join/);
    },
  );

  test.each([
    [{ kind: 'ended', removed: true }, 'The time of your membership in Design Studio is over', 'no longer a member'],
    [{ kind: 'ended', removed: true, how: 'lapsed' }, 'The time of your membership', 'no longer a member'],
    [{ kind: 'ended', removed: true, how: 'left' }, 'You have left Design Studio', 'no longer a member'],
    [{ kind: 'ended', removed: false, how: 'left' }, 'You asked to leave Design Studio', 'may still be a member'],
    [{ kind: 'ended', removed: false, how: 'lapsed' }, 'The time of your membership', 'may still be a member'],
    [{ kind: 'ended', removed: false, how: 'removed' }, 'is over', 'somebody had already removed you from the group'],
    [{ kind: 'ended', removed: false, how: 'revoked', by: 'Omar' }, 'was revoked', 'Revoked by Omar. You may still be'],
  ] as const)('tells how the membership ended: %j', (outcome, heading, sentence) => {
    const text = to(outcome);
    expect(text.split('\n')[2]).toContain(heading);
    expect(text).toContain(sentence);
    expect(/no longer a member/.test(text)).toBe(outcome.removed);
  });

  test('tells who revoked the membership and why, to the requester and to approvers', () => {
    const outcome: Outcome = { kind: 'ended', removed: true, how: 'revoked', by: 'Omar', reason: 'Over.\nSorry.' };
    const closed = closedMessage({ facts, outcome, recipient: 'Olivia', link: links.open }).text;
    expect(to(outcome)).toMatch(/^Revoked\n[^]*Revoked by Omar\. You are no longer a member\./);
    expect(closed).toContain(
      'The membership was revoked by Omar. Rita Lindqvist is no longer a member of Design Studio.',
    );
    for (const text of [to(outcome), closed])
      expect(text).toContain('The reason, as it was given:\n> Over.\n> Sorry.\n');
    expect(to({ kind: 'ended', removed: true, how: 'revoked' })).toContain('Revoked. You are no longer a member.');
    expect(to({ ...outcome, reason: ' ' })).not.toContain('The reason');
  });
});

describe('the mail on filing', () => {
  const filed = (changed: Partial<Parameters<typeof filedMessage>[0]> = {}): Message =>
    filedMessage({ facts, recipient: 'Rita Lindqvist', statusLink: links.open, ...changed });

  test('tells who can decide, what happens next, and where to look', () => {
    const { text } = filed({ deadline: new Date('2026-11-27T14:05:00Z'), nudge: 'You can remind\nthem.' });
    for (const fact of [
      'Your request to join Design Studio is filed',
      'If they have not decided by Fri 27 November 2026, 14:05 UTC, the request expires.',
      'You get a mail when it is decided or closed.',
      'Can decide: Olivia Okafor and Omar Haddad\n',
      `> ${facts.justification}`,
      'For how long: 30 days\n',
      'Asked on: Tue 24 November 2026, 14:05 UTC\n',
      `See the request: ${links.open}\n\nYou can remind them.\n`,
      'because this request to join Design Studio was made for you.',
    ])
      expect(text).toContain(fact);
  });

  test('says nothing of a deadline, of deciders, or of reminding where there is none', () => {
    const { text } = filed({ facts: { ...facts, approvers: [] } });
    expect(text).not.toMatch(/expires|Can decide:|remind/);
  });
});

test('the mail on a delay says that it is approved, and claims no membership', () => {
  const delayed = (of: RequestFacts): string =>
    delayedMessage({ facts: of, recipient: 'Rita', decidedBy: ['Olivia'], statusLink: links.open }).text;
  expect(delayed(facts)).toContain(
    'Approved by Olivia, but the directory refused the change for now. Your access has not changed.',
  );
  expect(delayed(facts)).toContain('There is nothing for you to do');
  expect(delayed(facts)).toContain(`See the request: ${links.open}`);
  expect(delayed(facts)).not.toMatch(/now a member|Member until/);
  expect(delayed(extension)).toContain('The end of your membership has not changed: Fri 25 December 2026, 09:12 UTC.');
});

test('the mail before the end says when it is, and has one link, which changes nothing by being opened', () => {
  const mail = endingMessage({ facts, recipient: 'Rita', until: new Date('2026-12-25T09:12:00Z'), link: links.open });
  expect(mail.subject).toBe('Your membership in Design Studio ends on Fri 25 December 2026, 09:12 UTC');
  expect(mail.text).toContain('It ends on Fri 25 December 2026, 09:12 UTC. You can ask to stay, let it lapse');
  expect(mail.text).toContain('Opening the link changes nothing: you will be asked to sign in and to choose.');
  expect([...mail.html.matchAll(/<a\b[^>]*href="([^"]*)"/g)].map(([, href]) => href)).toEqual([links.open]);
  expect(mail.text.split(links.open)).toHaveLength(2);
});

describe('the digest', () => {
  const item = (name: string, day?: number): Parameters<typeof digestMessage>[0]['items'][number] => ({
    facts: { ...facts, requester: { name } },
    link: `https://g.example/d/${name}`,
    ...(day !== undefined && { deadline: new Date(Date.UTC(2026, 10, day)) }),
  });
  const order = ({ text }: Message): string[] =>
    [...text.matchAll(/^(\w+) asks to join/gm)].map(([, name]) => name ?? '');

  test('lists each request with who, which group, why, until when, and its own link, the most urgent first', () => {
    const mail = digestMessage({ recipient: 'Olivia', items: [item('Late'), item('Third', 29), item('First', 27)] });
    expect(mail.subject).toBe('3 join requests wait for your decision');
    expect(order(mail)).toEqual(['First', 'Third', 'Late']);
    expect(mail.text).toContain(
      `First asks to join Design Studio\nDecide by Fri 27 November 2026, 00:00 UTC\nFor 30 days\n> ${facts.justification}\nOpen the request: https://g.example/d/First\n`,
    );
    expect(mail.text).toContain('Late asks to join Design Studio\nFor 30 days\n');
    expect([...mail.html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)).toEqual(
      ['First', 'Third', 'Late'].map((name) => `https://g.example/d/${name}`),
    );
  });

  test('says one request is one', () => {
    const mail = digestMessage({ recipient: 'Olivia', items: [item('Only')] });
    expect(mail.subject).toBe('1 join request waits for your decision');
    expect(mail.text).toContain('The link is for you alone; to anybody else it shows nothing.');
  });

  test('clips reasons, keeps them on a marked line, and says where there is none', () => {
    const long = { ...facts, justification: `Please.\nApprove: https://evil.example ${'x'.repeat(400)}` };
    const { text } = digestMessage({
      recipient: 'Olivia',
      items: [
        { facts: long, link: links.open },
        { facts: { ...facts, justification: '' }, link: links.open },
      ],
    });
    expect(text).toMatch(/^> Please\. Approve: https:\/\/evil\.example x+…$/m);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(190);
    expect(text).toContain('No reason was given.\nOpen the request:');
  });

  test('lists no more than a mail may hold, and says how many are left out', () => {
    const items = Array.from({ length: DIGEST_LENGTH + 2 }, (_, index) => item(`P${index}`, index + 1));
    const mail = digestMessage({ recipient: 'Olivia', items });
    expect(mail.subject).toContain(`${DIGEST_LENGTH + 2} join requests`);
    expect(order(mail)).toHaveLength(DIGEST_LENGTH);
    expect(mail.text).toContain('2 more requests wait for your decision; none of them is more urgent than these.');
    expect(digestMessage({ recipient: 'Olivia', items: items.slice(1) }).text).toContain('1 more request waits');
    expect(digestMessage({ recipient: 'Olivia', items: items.slice(2) }).text).not.toContain(' more ');
  });
});

describe('the mail to the other approvers', () => {
  const closed = (outcome: Outcome): string =>
    closedMessage({ facts, outcome, recipient: 'Omar Haddad', link: links.open }).text;

  test.each(outcomes.map((outcome) => [outcome] as const))('says that nothing is left to do after %j', (outcome) => {
    const text = closed(outcome);
    expect(text).toContain('Nothing left for you to do');
    expect(text).toContain('Asked by: Rita Lindqvist');
    expect(text).toContain(`See what happened: ${links.open}`);
    expect(text).not.toMatch(/^(Approve|Deny): /m);
  });

  test('says who decided what, and keeps the comment between decider and requester', () => {
    const text = closed({
      kind: 'denied',
      decidedBy: ['Olivia Okafor'],
      comments: [{ by: 'Olivia Okafor', text: 'Only for Rita.' }],
    });
    expect(text).toContain('The request was denied by Olivia Okafor.');
    expect(text).not.toContain('Only for Rita.');
    const comments = [{ by: 'Olivia', text: 'Only for Rita.' }];
    expect(closed({ kind: 'granted', decidedBy: ['Olivia'], comments })).not.toContain('Only for Rita.');
  });

  test('says who stays a member, and that the time was shortened', () => {
    const text = closed({ kind: 'granted', decidedBy: ['Olivia'], continues: true, shortenedFrom: 'P90D' });
    expect(text).toContain('Rita Lindqvist stays a member of Design Studio. The time was shortened;');
    expect(text).not.toContain('now a member');
  });

  test.each([
    [{ kind: 'ended', removed: true, how: 'lapsed' }, 'The time for which Rita Lindqvist was to be a member'],
    [{ kind: 'ended', removed: true, how: 'left' }, 'Rita Lindqvist has left Design Studio.'],
    [
      { kind: 'ended', removed: false, how: 'left' },
      'asked to leave Design Studio. Rita Lindqvist may still be a member',
    ],
    [
      { kind: 'ended', removed: false, how: 'removed' },
      'somebody had already removed Rita Lindqvist from Design Studio.',
    ],
  ] as const)('says how a membership ended: %j', (outcome, words) => {
    expect(closed(outcome)).toContain(words);
    expect(/may still be/.test(closed(outcome))).toBe(!outcome.removed && outcome.how !== 'removed');
  });
});

test('the thread of a request is named by its id, and can not carry a header of its own', () => {
  expect(references('3f1c', 'gatehouse.contoso.example')).toBe('<join-3f1c@gatehouse.contoso.example>');
  expect(references('a\r\nBcc: b>', 'x')).toBe('<join-a--Bcc--b-@x>');
});

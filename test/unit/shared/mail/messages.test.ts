import fc from 'fast-check';
import { approvalMessage, closedMessage, outcomeMessage, references } from '../../../../shared/mail/messages';
import type { Message, Outcome, RequestFacts } from '../../../../shared/mail/messages';
import { facts, hostile, mails } from '../../../browser/samples';

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
  { kind: 'denied', decidedBy: ['Omar Haddad'], comment: 'Ask\nMaja.' },
  { kind: 'denied', decidedBy: ['Omar Haddad'] },
  { kind: 'expired' },
  { kind: 'cancelled', reason: 'The group was deleted' },
  { kind: 'withdrawn' },
];
const all: [string, Message][] = [
  ...Object.entries(mails),
  ...outcomes.flatMap((outcome, index): [string, Message][] => [
    [
      `outcome ${index} ${outcome.kind}`,
      outcomeMessage({ facts: hostile, outcome, recipient: 'Rita', statusLink: links.open }),
    ],
    [
      `closed ${index} ${outcome.kind}`,
      closedMessage({ facts: hostile, outcome, recipient: 'Omar', link: links.open }),
    ],
  ]),
];

describe.each(all)('the mail %s', (_, mail) => {
  test('says in its text version whatever its HTML version says', () => {
    const text = flat(mail.text);
    const seen = seenIn(mail.html);
    expect(seen.length).toBeGreaterThan(8);
    expect(seen.filter((line) => !text.includes(line.replace(/:$/, '')))).toEqual([]);
  });

  test('says in its HTML version whatever its text version says', () => {
    const markup = seenIn(mail.html).join(' ');
    const lines = mail.text.split('\n').map((line) => flat(line).trim());
    const pieces = lines.flatMap((line) => line.split(/: (?=\S)/)).filter((piece) => piece !== '' && piece !== '--');
    expect(pieces.filter((piece) => !markup.replace(/\s+/g, ' ').includes(piece.replace(/:$/, '')))).toEqual([]);
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
    expect(approval({ reminder: 1 }).subject).toBe(`Re: ${stem}`);
    expect(closedMessage({ facts, outcome: { kind: 'expired' }, recipient: 'Omar', link: links.open }).subject).toBe(
      `Re: ${stem}`,
    );
  });

  test('of requesters begin with how it ended', () => {
    const words = outcomes.map((outcome) => outcomeMessage({ facts, outcome, recipient: 'Rita' }).subject);
    expect(words).toEqual(
      ['Approved', 'Approved', 'Denied', 'Denied', 'Expired', 'Cancelled', 'Withdrawn'].map(
        (word) => `${word}: ${stem}`,
      ),
    );
  });

  test('are one line of at most 150 characters, whatever the names are', () => {
    const odd = fc.constantFrom('a', 'é', 'e\u0301', '\r', '\n', '\u0085', '\u2028', '\u202E', ' ', '👩‍🔬', '\uD83D');
    fc.assert(
      fc.property(
        fc.string({ unit: odd, maxLength: 300 }),
        fc.string({ unit: odd, maxLength: 300 }),
        (name, groupName) => {
          const asked: RequestFacts = { ...facts, groupName: `${groupName}\r\nBcc: x`, requester: { name } };
          for (const { subject } of [
            approval({ facts: asked, reminder: 2 }),
            outcomeMessage({ facts: asked, outcome: { kind: 'cancelled', reason: '' }, recipient: 'Rita' }),
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
      'Reference: JR-7F3K-92QD',
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

  test('is called a reminder, and which, where it is one', () => {
    expect(approval({ reminder: 1 }).text).toMatch(/^Reminder\n/);
    expect(approval({ reminder: 2 }).text).toMatch(/^Reminder 2\n/);
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
    const text = to({ kind: 'denied', decidedBy: ['Omar'], comment: 'Ask\nMaja.' });
    expect(text).toContain('Denied by Omar. Your access has not changed.');
    expect(text).toContain('Their comment:\n> Ask\n> Maja.');
  });

  test.each([
    [{ kind: 'expired' } as const, 'Nobody decided in time.'],
    [{ kind: 'cancelled', reason: 'The group was deleted' } as const, 'The group was deleted. Your access'],
    [{ kind: 'withdrawn' } as const, 'was withdrawn'],
  ])('tells plainly of %j, and of no membership', (outcome, words) => {
    expect(to(outcome)).toContain(words);
    expect(to(outcome)).not.toMatch(/now a member|Approved/);
  });

  test('has a link only where there is one', () => {
    expect(mails.expired?.html).not.toContain('<a ');
    expect(mails.outcome?.text).toContain('See the request: https://');
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
    const text = closed({ kind: 'denied', decidedBy: ['Olivia Okafor'], comment: 'Only for Rita.' });
    expect(text).toContain('The request was denied by Olivia Okafor.');
    expect(text).not.toContain('Only for Rita.');
  });
});

test('the thread of a request is named by its id, and can not carry a header of its own', () => {
  expect(references('3f1c', 'gatehouse.contoso.example')).toBe('<join-3f1c@gatehouse.contoso.example>');
  expect(references('a\r\nBcc: b>', 'x')).toBe('<join-a--Bcc--b-@x>');
});

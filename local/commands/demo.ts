// `npm run demo`: the main job, from the join request to the membership, on a stack of its own; every step is checked.
import { z } from 'zod';

import { groups, people } from '../demo-tenant';
import { asSystem, awaitMails, hiddenField, linkIn, membersOf, openBrowser, signIn } from '../stack/actors';
import type { InboxMail, SystemActor } from '../stack/actors';
import { runCommand } from '../stack/command';
import { firstRequest } from '../stack/first-request';
import { startStack } from '../stack/stack';
import type { Stack } from '../stack/stack';

const statusSchema = z.object({
  id: z.string(),
  state: z.string(),
  timeline: z.array(z.object({ event: z.string(), text: z.string(), at: z.string() })).default([]),
});
type Status = z.output<typeof statusSchema>;

const say = (text: string): void => console.log(text);

function check(held: boolean, what: string): void {
  if (!held) throw new Error(`This did not hold: ${what}`);
  say(`   ✓ ${what}`);
}

async function statusOf(system: SystemActor, id: string): Promise<Status> {
  return statusSchema.parse((await system.call('GET', `/api/join-requests/${id}`)).json);
}

async function play({
  urls,
}: Stack): Promise<{ requestId: string; outcome: string; member: boolean; trail: string[] }> {
  const { design } = groups;
  const system = await asSystem(urls, 'hrPortal');

  say(`\n1. The HR portal asks for a membership of Rita in ${design.displayName}.`);
  check(!(await membersOf(urls, design.id)).includes(people.rita.id), 'Rita is not a member yet');
  const filed = await system.call('POST', firstRequest.path, firstRequest.body);
  check(filed.status === 202, `202 Accepted, Location ${filed.headers.get('location') ?? '(none)'}`);
  const { id } = statusSchema.parse(filed.json);

  say('\n2. Each owner gets a mail.');
  const [toOlivia] = await awaitMails(urls, 'olivia', 0);
  const [toOmar] = await awaitMails(urls, 'omar', 0);
  if (toOlivia === undefined || toOmar === undefined) throw new Error('an owner got no mail');
  check(
    linkIn(toOlivia) !== linkIn(toOmar),
    `“${toOlivia.subject}”, to Olivia and to Omar, each with a link of their own`,
  );

  say('\n3. A mail scanner opens Olivia’s links and submits whatever it finds.');
  const scanner = openBrowser(urls.frontDoor);
  for (const choice of ['approve', 'deny']) {
    const page = await scanner.get(`${linkIn(toOlivia)}?choice=${choice}`);
    check(!page.text.includes('Rita'), `the ${choice} link shows it nothing about the request`);
    await fetch(`${linkIn(toOlivia)}?choice=${choice}`, { method: 'HEAD' });
    const posted = await scanner.post(linkIn(toOlivia), { decision: choice, token: '' });
    check(posted.status === 403, `its POST to ${choice} is refused (403)`);
  }
  check((await statusOf(system, id)).state === 'pending', 'the request is still pending');

  say('\n4. Olivia signs in and approves.');
  const { browser, page } = await signIn(urls, 'olivia', `${new URL(linkIn(toOlivia)).pathname}?choice=approve`);
  check(
    page.status === 200 && page.text.includes(people.rita.displayName),
    'she sees who asks, why, and who else can decide',
  );
  const receipt = await browser.post(linkIn(toOlivia), {
    decision: 'approve',
    comment: '',
    token: hiddenField(page.text, 'token'),
  });
  check(receipt.status === 200 && /<h1[^>]*>\s*Approved/.test(receipt.text), 'the same link is now the receipt');

  say('\n5. The membership is applied, and Rita is told.');
  // She may have been told before that it was filed.
  const isOutcome = ({ subject }: InboxMail): boolean => subject.startsWith('Approved');
  let toRita = await awaitMails(urls, 'rita', 0);
  while (!toRita.some(isOutcome)) toRita = await awaitMails(urls, 'rita', toRita.length);
  check(true, `Rita’s mail: “${toRita.find(isOutcome)?.subject ?? ''}”`);
  const member = (await membersOf(urls, design.id)).includes(people.rita.id);
  check(member, `Rita is a member of ${design.displayName}`);
  await awaitMails(urls, 'omar', 1);
  check(true, 'Omar is told that nothing is left for him to do');

  say('\n6. The trail:');
  const status = await untilTold(system, id);
  for (const { at, event, text } of status.timeline) say(`   ${at}  ${event.padEnd(18)} ${text}`);
  check(status.state === 'granted', 'the request is granted');
  return { requestId: id, outcome: status.state, member, trail: status.timeline.map(({ event }) => event) };
}

/** The last entry is written right after the last mail was accepted; it is read again until it is there. */
async function untilTold(system: SystemActor, id: string): Promise<Status> {
  for (const end = performance.now() + 20_000; performance.now() < end;) {
    const status = await statusOf(system, id);
    if (status.timeline.some(({ event }) => event === 'outcome-told')) return status;
  }
  throw new Error('the outcome was not told within 20 s');
}

async function demo(signal: AbortSignal): Promise<number> {
  const started = performance.now();
  say('Starting a stack of its own …');
  const stack = await startStack({ signal });
  try {
    const result = await play(stack);
    await stack.stop();
    say(JSON.stringify({ demo: 'ok', ...result, seconds: Math.round((performance.now() - started) / 100) / 10 }));
    return 0;
  } catch (error) {
    for (const line of stack.logs('host').slice(-30)) say(`host | ${line}`);
    await stack.stop();
    throw error;
  }
}

runCommand(demo);

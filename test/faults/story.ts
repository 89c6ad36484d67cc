import { randomUUID } from 'node:crypto';

import { asPersonWithToken, asSystem, lastMail, mailsTo } from '../../local/stack/actors';
import type { Answer, SystemActor } from '../../local/stack/actors';
import { openHouse } from '../workflow/house';
import type { House, Status } from '../workflow/house';

/** What stands when the story is over, without what differs from one to the next. */
export interface Ending {
  state: string;
  removed: boolean | undefined;
  /** Whether the person was seen to be a member while the grant lasted. */
  wasMember: boolean;
  isMember: boolean;
  /** Events of the trail, in their order; those of a step that was taken in parts, as one. */
  trail: string[];
  /** Every mail about the request, as `person: subject`. */
  mails: string[];
  /** Statuses of the doors that say neither that it is done nor that it can't be done now. */
  answers: number[];
}

/** The house in which the stories are played, and those who act in them. */
export interface Stage {
  house: House;
  operations: SystemActor;
  approver: SystemActor;
}

/** A call of the app may take two seconds: what hangs for longer is given up soon, and acts when it was given up. */
const CALL_TIMEOUT = 'PT2S';

export async function openStage(): Promise<Stage> {
  const house = await openHouse({ wires: true, env: { CALL_TIMEOUT } });
  const { urls } = house.stack;
  return {
    house,
    operations: await asSystem(urls, 'opsTool'),
    approver: await asPersonWithToken(urls, 'olivia'),
  };
}

const DURATION = 'PT2H';
/** The member of so short a grant is warned when three quarters of it are over. */
const WARNED_MS = 30 * 60_000;
/** Two owners are asked, and the person is told that it was filed. */
const FIRST_MAILS = 3;
const LONGEST_MS = 90_000;

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** What the doors may say to a call that is right: it is done, or it can't be done now. */
const isHonest = ({ status, json }: Answer): boolean =>
  status === 200 ||
  status === 202 ||
  status >= 500 ||
  (json as { type?: string }).type?.endsWith('filing-in-progress') === true;

/** What the one who makes calls go wrong does while the story goes on. */
export interface Meanwhile {
  /** Between any two looks at the story. */
  look: () => Promise<void>;
  /** Whether every call that hung has acted: hours of the story pass within a second, in which a call would hang for hours. */
  isQuiet: () => Promise<boolean>;
}

const nothing: Meanwhile = { look: () => Promise.resolve(), isQuiet: () => Promise.resolve(true) };

const withoutNames = (subject: string): string =>
  subject.replace(/Group [0-9a-f]{8}/, 'the group').replace(/ ends on .*/, ' ends');

/** Every mail about the request, as `person: subject`; the story began behind this place in the inbox. */
async function mailsAbout({ stack: { urls } }: House, id: string, after: number): Promise<string[]> {
  const mails: string[] = [];
  for (const person of ['mona', 'olivia', 'omar'] as const) {
    for (const { subject, plainText } of await mailsTo(urls, person, after))
      if ((plainText ?? '').includes(id)) mails.push(`${person}: ${withoutNames(subject)}`);
  }
  return mails.sort();
}

function passTo({ stack: { clock } }: House, time: number): void {
  clock.advance(Math.max(0, time - clock.now().getTime()));
}

type Look<Found> = () => Promise<Found | undefined>;

/** Those who act in one story: each does what a client does whose calls may fail. */
function actorsOf({ house, operations, approver }: Stage, meanwhile: Meanwhile) {
  const answers = new Set<number>();
  let last: unknown;

  /** Looks until something is found; the clock runs on. */
  const until = async <Found>(what: string, look: Look<Found>): Promise<Found> => {
    for (const end = performance.now() + LONGEST_MS; performance.now() < end;) {
      await meanwhile.look();
      const found = await look();
      if (found !== undefined) return found;
      house.stack.clock.advance(10_000);
      await pause(25);
    }
    throw new Error(`never ${what}: ${JSON.stringify(last)}`);
  };
  const untilTrue = (what: string, look: () => Promise<boolean>): Promise<true> =>
    until(what, async () => (await look()) || undefined);
  /** The answer where it says that it is done; one that got lost, or says that it can't be done now, is asked for again. */
  const untilDone = (what: string, call: () => Promise<Answer>, wanted: (json: unknown) => boolean = () => true) =>
    until(what, async () => {
      const answer = await call().catch(() => undefined);
      if (answer === undefined) return undefined;
      last = answer.json;
      if (!isHonest(answer)) answers.add(answer.status);
      return answer.status < 300 && wanted(answer.json) ? answer.json : undefined;
    });

  return {
    answers,
    untilTrue,
    file: async (group: string): Promise<string> => {
      const key = { 'idempotency-key': randomUUID() };
      const filed = await untilDone('filed', () => house.file(group, 'mona', { duration: DURATION }, key));
      return (filed as { id: string }).id;
    },
    approve: (id: string) =>
      untilDone('decided', () => approver.call('POST', `/api/join-requests/${id}/decision`, { decision: 'approve' })),
    untilEvent: async (id: string, event: string): Promise<Status> =>
      (await untilDone(
        event,
        () => operations.call('GET', `/api/join-requests/${id}`),
        (status) => (status as Status).timeline.some((entry) => entry.event === event),
      )) as Status,
    isOpen: async (id: string): Promise<boolean> => {
      const page = await untilDone('listed', () => operations.call('GET', '/api/ops/requests?pageSize=100'));
      return (page as { value: { id: string }[] }).value.some((each) => each.id === id);
    },
  };
}

/** One request from filing to the end of its membership. */
export async function playStory(stage: Stage, meanwhile: Meanwhile = nothing): Promise<Ending> {
  const { house } = stage;
  const group = await house.newGroup(['olivia', 'omar']);
  const before = await lastMail(house.stack.urls);
  const actors = actorsOf(stage, meanwhile);
  const mails = (id: string): Promise<string[]> => mailsAbout(house, id, before);
  const passQuietlyTo = async (time: number): Promise<void> => {
    await actors.untilTrue('quiet', meanwhile.isQuiet);
    passTo(house, time);
  };

  const id = await actors.file(group);
  // who is to be asked, or told that it was filed, gets no such mail any more once it is decided
  await actors.untilTrue('asked', async () => (await mails(id)).length >= FIRST_MAILS);
  await actors.untilEvent(id, 'approvers-asked');
  await actors.approve(id);
  const told = await actors.untilEvent(id, 'outcome-told');
  const wasMember = await house.isMember(group, 'mona');

  const end = new Date(told.membership?.until ?? 0).getTime();
  await passQuietlyTo(end - WARNED_MS);
  await actors.untilEvent(id, 'ending-told');
  await passQuietlyTo(end);
  const over = await actors.untilEvent(id, 'ended');
  // the story goes on behind what the status shows: the last mail, the pointers
  await actors.untilTrue('told of the end', async () =>
    (await mails(id)).some((mail) => mail.startsWith('mona: Ended')),
  );
  const isAtRest = async (): Promise<boolean> => (await house.running([`join-${id}`, `grant-${id}`])).length === 0;
  await actors.untilTrue('at rest', isAtRest);
  // an orchestration that failed is at rest too, until the sweeper starts it again
  await actors.untilTrue('closed', async () => !(await actors.isOpen(id)));
  await actors.untilTrue('at rest', isAtRest);
  await actors.untilTrue('quiet', meanwhile.isQuiet);

  return {
    state: over.state,
    removed: over.membership?.ended?.removed,
    wasMember,
    isMember: await house.isMember(group, 'mona'),
    trail: over.timeline.map(({ event }) => event).filter((event, index, all) => event !== all[index - 1]),
    mails: await mails(id),
    answers: [...actors.answers],
  };
}

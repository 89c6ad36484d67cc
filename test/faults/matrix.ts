import type { FaultRule } from '../../local/faults';
import type { Service } from '../workflow/house';
import { randomOf } from '../model/schedule';
import { countCalls, listed, nameOf, patternOf } from './calls';
import type { Outgoing } from './calls';
import { openStage, playStory } from './story';
import type { Ending, Stage } from './story';

/** One call of the app that goes wrong in one way, once or until the app was seen to come back to it. */
interface Case {
  call: Outgoing;
  fault: FaultName;
  lasting: boolean;
}

type Fault = FaultRule['fault'];

/** An error in the service's own form, so that the SDKs read of it what they would read of the real one. */
function answered(service: Service, status: number, code: string, headers: Record<string, string> = {}): Fault {
  const error = { code, message: 'So the test wants it.' };
  const body =
    service === 'tables' ? { 'odata.error': { code, message: { lang: 'en-US', value: error.message } } } : { error };
  return {
    kind: 'answer',
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/** Beyond the time-out of a call, as a minute is in operation; what hung acts when it was given up, while the story goes on. */
const LATE_MS = 3_000;

const faults = {
  refused: () => ({ kind: 'reset', when: 'before' }),
  'answer lost': () => ({ kind: 'reset', when: 'after' }),
  '409': (service) => answered(service, 409, 'Conflict'),
  '412': (service) => answered(service, 412, 'PreconditionFailed'),
  '408': (service) => answered(service, 408, 'RequestTimeout'),
  '429': (service) => answered(service, 429, 'TooManyRequests'),
  // the SDK of the tables waits by itself, on a clock that can't be moved
  '429 with Retry-After': (service) =>
    answered(service, 429, 'TooManyRequests', { 'retry-after': service === 'tables' ? '1' : '30' }),
  '500': (service) => answered(service, 500, 'InternalServerError'),
  '503': (service) => answered(service, 503, 'ServiceUnavailable'),
  late: () => ({ kind: 'delay', ms: LATE_MS }),
  garbage: () => ({ kind: 'garbage' }),
  'token expired': (service) => answered(service, 401, 'InvalidAuthenticationToken', { 'www-authenticate': 'Bearer' }),
} satisfies Record<string, (service: Service) => Fault>;
type FaultName = keyof typeof faults;
const faultNames = Object.keys(faults) as FaultName[];

/** Every listed call with every fault, once and lasting. */
const cases: readonly Case[] = listed.flatMap((call) =>
  faultNames.flatMap((fault) => [false, true].map((lasting) => ({ call, fault, lasting }))),
);

export const caseCount = cases.length;

/** All cases in an order that the seed chooses. */
function shuffled(seed: number): Case[] {
  const random = randomOf(seed);
  return cases
    .map((one) => ({ one, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ one }) => one);
}

const titleOf = ({ call, fault, lasting }: Case): string =>
  `${nameOf(call)}: ${fault}${lasting ? ', until it goes' : ''}`;

/** So often is a lasting fault met before it goes: more often than the SDK of the tables, or a lost race, is tried again at once. */
function meetings({ call, fault }: Case): number {
  if (call.service !== 'tables') return 3;
  return fault === '409' || fault === '412' ? 10 : 7;
}

export interface Played {
  title: string;
  /** How often the fault was met. */
  hits: number;
  /** What stands and should not; empty where all is well. */
  wrong: string[];
}

/** A house, the story as it goes where nothing is wrong, and the cases in the order of a seed. */
export interface Matrix {
  /** How often the story makes each call. */
  counts: ReadonlyMap<string, number>;
  play(index: number): Promise<Played>;
  close(): Promise<void>;
}

export async function openMatrix(seed: number): Promise<Matrix> {
  const stage = await openStage();
  // the first story finds no tables
  await playStory(stage);
  await stage.house.clearFaults();
  const right = await playStory(stage);
  const counts = await countCalls(stage.house);
  const order = shuffled(seed);
  return {
    counts,
    play: async (index) => {
      const one = order[index];
      if (one === undefined) throw new Error(`there is no case ${String(index)}`);
      const nth = 1 + Math.floor(randomOf(seed * 1_000_003 + index)() * (counts.get(nameOf(one.call)) ?? 1));
      const played = await playCase(stage, one, nth, right);
      const title = `${titleOf(one)}, call ${String(nth)}`;
      if (played.hits > 0 || nth === 1) return { title, ...played };
      // not every story makes a call as often: its first is made by all
      const { hits, wrong } = await playCase(stage, one, 1, right);
      return { title, hits, wrong: [...played.wrong, ...wrong] };
    },
    close: () => stage.house.stop(),
  };
}

/** Plays the story with the fault at the `nth` such call and holds its end against that of the story in which nothing goes wrong. */
async function playCase(stage: Stage, one: Case, nth: number, right: Ending): Promise<Omit<Played, 'title'>> {
  const { house } = stage;
  const { service } = one.call;
  await house.clearFaults();
  await house.fault(service, {
    ...patternOf(one.call),
    skip: nth - 1,
    ...(!one.lasting && { times: 1 }),
    fault: faults[one.fault](service),
  });
  let hits = 0;
  let stands = true;
  const look = async (): Promise<void> => {
    if (!stands) return;
    hits = await house.hits(service);
    if (!one.lasting || hits < meetings(one)) return;
    stands = false;
    await house.liftFaults(service);
  };
  // what is late is recorded as unanswered until it has acted
  const isQuiet = async (): Promise<boolean> =>
    one.fault !== 'late' || (await house.calls(service)).every(({ status }) => status !== 0);
  try {
    const ending = await playStory(stage, { look, isQuiet });
    await look();
    return { hits, wrong: differences(ending, right) };
  } catch (error) {
    return { hits, wrong: [error instanceof Error ? error.message : String(error)] };
  } finally {
    await house.clearFaults();
  }
}

function differences(found: Ending, right: Ending): string[] {
  return (Object.keys(right) as (keyof Ending)[]).flatMap((name) => {
    const [is, should] = [JSON.stringify(found[name]), JSON.stringify(right[name])];
    return is === should ? [] : [`${name} is ${is}, not ${should}`];
  });
}

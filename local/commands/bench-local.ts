// `npm run bench:local`: how fast the local stack is, measured on a stack and a host of its own, against the goals that it has.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

import { openClock } from '../clock/clock';
import { people, tenant } from '../demo-tenant';
import { asSystem, awaitMails, changeDirectory, hiddenField, linkIn, membersOf, signIn } from '../stack/actors';
import type { SystemActor } from '../stack/actors';
import { startChild } from '../stack/child';
import { runCommand } from '../stack/command';
import { built, root } from '../stack/paths';
import { isFree, portNames, portsFrom, freePort } from '../stack/ports';
import { passedEnvironment, startStack } from '../stack/stack';
import type { Stack } from '../stack/stack';

const BUILDS = 3;
const GROUPS = 4;
const FILINGS = 80;
/** So many of them are filed with nothing else going on. */
const ALONE = 40;
const DECISIONS = 40;
const ORCHESTRATIONS = 600;
const WAITING = 10_000;
const STARTS_AT_ONCE = 50;
const POSTS = 60;
const LIMIT_MS = 240_000;

interface Figures {
  readyMs: number;
  buildMs: number;
  rssMb: number;
  postP50Ms: number;
  decisionToMemberP50Ms: number;
  orchestrationsPerSecond: number;
  waiting10k: { addedRssMb: number; postP50Ms: number };
}

const say = (text: string): void => console.log(text);
const round = (n: number): number => Math.round(n * 10) / 10;
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const load = (): string =>
  `load average ${loadavg()
    .map((n) => n.toFixed(2))
    .join(' ')} on ${String(availableParallelism())} cores`;

/** Of all values, `part` are no greater than this one. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
  if (value === undefined) throw new Error('Nothing was measured.');
  return round(value);
}

function sayTimes(what: string, times: readonly number[]): number {
  const p50 = quantile(times, 0.5);
  say(
    `  ${what}: p50 ${String(p50)} ms, p95 ${String(quantile(times, 0.95))} ms, most ${String(quantile(times, 1))} ms, of ${String(times.length)}`,
  );
  return p50;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function rssMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`Process ${String(pid)} has ended.`);
  return Number(kilobytes) / 1024;
}

/** Runs a script to its end, or to the line that is awaited, after which it is asked to end; the time that this took. */
async function timeScript(args: string[], signal: AbortSignal, awaited?: RegExp): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: passedEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', end, { once: true });
  let text = '';
  let seen: number | undefined;
  const read = (chunk: Buffer): void => {
    text += chunk.toString();
    if (awaited === undefined || seen !== undefined || !awaited.test(text)) return;
    seen = performance.now() - started;
    end();
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  signal.removeEventListener('abort', end);
  const took = awaited === undefined ? performance.now() - started : seen;
  if (took === undefined || (awaited === undefined && code !== 0)) {
    throw new Error(`node ${args.join(' ')} ended with ${String(code)}:\n${text}`);
  }
  return took;
}

async function measureBuild(signal: AbortSignal): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < BUILDS; n += 1) times.push(await timeScript([join('local', 'build.mjs')], signal));
  return sayTimes('node local/build.mjs', times);
}

/** The first of as many consecutive free ports as the stack has. */
async function freePortBase(): Promise<number> {
  for (;;) {
    const base = await freePort();
    const free = await Promise.all(Object.values(portsFrom(base)).map(isFree));
    if (free.every(Boolean) && base + portNames.length < 32_768) return base;
  }
}

async function measureReady(state: string, signal: AbortSignal): Promise<number> {
  // The first start makes the state, which takes longer once.
  const made = await timed(async () => (await startStack({ state, signal })).stop());
  say(`  a first start with an empty folder, and its end: ${String(round(made))} ms`);
  const base = String(await freePortBase());
  // What boot.mjs runs when it has seen that all is installed and built: a benchmark installs nothing.
  const args = ['--disable-warning=ExperimentalWarning', '--enable-source-maps', '--', built('commands/start.js')];
  args.push('--state', state, '--port-base', base);
  const took = await timeScript(args, signal, /^Gatehouse runs /m);
  say(`  the start command, until ready (without what boot.mjs looks at before): ${String(round(took))} ms`);
  return round(took);
}

function measureRss(stack: Stack): number {
  const parts = Object.entries(stack.pids).map(([name, pid]) => ({ name, mb: rssMb(pid) }));
  const sum = round(parts.reduce((total, { mb }) => total + mb, 0));
  say(`  ${parts.map(({ name, mb }) => `${name} ${String(round(mb))} MB`).join(', ')}: ${String(sum)} MB`);
  return sum;
}

interface Filed {
  id: string;
  group: string;
  person: string;
}

const filedSchema = z.object({ id: z.string() });

/**
 * Files for people who were not there before: half of them each when the mail of the one before is out and the stack is at rest, half in
 * one go, while the workflows of those before still run. The first half is the figure.
 */
async function measureFilings(stack: Stack): Promise<{ p50: number; filed: Filed[] }> {
  const { urls } = stack;
  const targets = Array.from({ length: GROUPS }, () => randomUUID());
  const persons = Array.from({ length: FILINGS }, () => randomUUID());
  await changeDirectory(
    urls,
    ...targets.map((id, n) => ({
      type: 'createGroup',
      group: { id, displayName: `Bench ${String(n)}`, mailNickname: `bench-${String(n)}`, owners: [people.olivia.id] },
    })),
    ...persons.map((id, n) => {
      const userPrincipalName = `bench-${String(n)}@${tenant.domain}`;
      const user = { id, displayName: `Bench Person ${String(n)}`, userPrincipalName, mail: userPrincipalName };
      return { type: 'createUser', user };
    }),
  );
  const system = await asSystem(urls, 'hrPortal');
  const times: number[] = [];
  const filed: Filed[] = [];
  for (const [n, person] of persons.entries()) {
    const group = targets[n % targets.length] ?? '';
    const body = { userId: person, justification: 'I work with them.' };
    times.push(
      await timed(async () => {
        const answer = await system.call('POST', `/api/groups/${group}/join-requests`, body);
        if (answer.status !== 202) throw new Error(`The filing was answered ${String(answer.status)}: ${answer.text}`);
        filed.push({ id: filedSchema.parse(answer.json).id, group, person });
      }),
    );
    if (n < ALONE) {
      await awaitMails(urls, 'olivia', n, 60_000);
      await untilAsked(system, filed.at(-1)?.id ?? '');
    }
  }
  say(`  the first one, on a host that has done nothing yet: ${String(round(times[0] ?? 0))} ms (counted below)`);
  const p50 = sayTimes('POST join-requests, one at a time', times.slice(0, ALONE));
  sayTimes('POST join-requests, while earlier ones are worked on', times.slice(ALONE));
  return { p50, filed };
}

/** The workflow wrote down whom it asked: until then it works on the request. */
async function untilAsked(system: SystemActor, id: string): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end; await pause(5)) {
    const { json } = await system.call('GET', `/api/join-requests/${id}`);
    if (z.object({ timeline: z.array(z.object({ event: z.string() })) }).parse(json).timeline.length > 1) return;
  }
  throw new Error(`Nobody was asked about ${id}.`);
}

/** The owner, signed in, approves one request after the other. */
async function measureDecisions({ urls }: Stack, filed: readonly Filed[]): Promise<number> {
  const mails = await awaitMails(urls, 'olivia', filed.length - 1, 60_000);
  const { browser } = await signIn(urls, 'olivia');
  const toMember: number[] = [];
  const toReceipt: number[] = [];
  for (const { id, group, person } of filed.slice(0, DECISIONS)) {
    const mail = mails.find(({ plainText }) => plainText?.includes(id));
    if (mail === undefined) throw new Error(`Olivia was not asked about ${id}.`);
    const link = linkIn(mail);
    const page = await browser.get(link);
    const form = { decision: 'approve', comment: '', token: hiddenField(page.text, 'token') };
    const started = performance.now();
    const receipt = browser.post(link, form).then(({ status, text }) => {
      toReceipt.push(performance.now() - started);
      if (status !== 200 || !/<h1[^>]*>\s*Approved/.test(text))
        throw new Error(`No receipt (${String(status)}): ${text}`);
    });
    const member = (async () => {
      while (!(await membersOf(urls, group)).includes(person)) {
        if (performance.now() - started > 20_000) throw new Error(`The request ${id} made nobody a member.`);
        await pause(2);
      }
      toMember.push(performance.now() - started);
    })();
    await Promise.all([receipt, member]);
  }
  sayTimes('decision POST to receipt', toReceipt);
  return sayTimes('decision POST to member', toMember);
}

/** The host alone, with the app of `local/bench-app`. */
interface Bench {
  pid: number;
  post: (path: string) => Promise<unknown>;
  get: (path: string) => Promise<unknown>;
}

async function withHostAlone<T>(state: string, signal: AbortSignal, use: (bench: Bench) => Promise<T>): Promise<T> {
  const child = startChild({
    name: 'The host',
    script: built('host/main.js'),
    args: ['--app', join(root, 'local', 'bench-app'), '--port', '0', '--rpc-port', '0', '--state', state],
    env: { ...passedEnvironment(), LOCAL_CLOCK_FILE: openClock(join(state, 'clock')).file },
    readyLine: /^ready http/,
    onLine: (line) => {
      if (/error|fail/i.test(line)) say(`host | ${line}`);
    },
  });
  const end = (): void => void child.stop();
  signal.addEventListener('abort', end, { once: true });
  try {
    const base = (await child.ready).split(' ')[1] ?? '';
    const call = async (method: string, path: string, body?: string): Promise<unknown> => {
      const response = await fetch(`${base}/api/${path}`, { method, body });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path} was answered ${String(response.status)}: ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    };
    return await use({
      pid: child.pid,
      post: (path) => call('POST', path, '"yes"'),
      get: (path) => call('GET', path),
    });
  } finally {
    signal.removeEventListener('abort', end);
    await child.stop();
  }
}

const idsSchema = z.object({ ids: z.array(z.string()) });
const statusSchema = z.object({ status: z.string(), output: z.unknown() });

/** Starts so many, and resolves with their ids when all have come to their end or their wait. */
async function runMany({ get, post }: Bench, name: string, count: number): Promise<string[]> {
  const before = z.number().parse(await get(`reached/${name}`));
  const all = get(`until/${name}/${String(before + count)}`);
  // Where a start fails, that is what is told.
  all.catch(() => undefined);
  const ids: string[] = [];
  for (let left = count; left > 0; left -= STARTS_AT_ONCE) {
    const answer = await post(`start/${name}/${String(Math.min(left, STARTS_AT_ONCE))}`);
    ids.push(...idsSchema.parse(answer).ids);
  }
  await all;
  return ids;
}

/** What the store says of an instance, once it is what is wanted. */
async function untilStatus({ get }: Bench, id: string, wanted: string): Promise<unknown> {
  for (const end = performance.now() + 10_000; ;) {
    const { status, output } = statusSchema.parse(await get(`status/${id}`));
    if (status === wanted) return output;
    if (performance.now() > end) throw new Error(`${id} is ${status}, not ${wanted}.`);
    await pause(10);
  }
}

async function measureThroughput(bench: Bench): Promise<number> {
  await runMany(bench, 'three', 100);
  let ids: string[] = [];
  const took = await timed(async () => (ids = await runMany(bench, 'three', ORCHESTRATIONS)));
  for (const id of ids) {
    const output = await untilStatus(bench, id, 'Completed');
    if (output !== 3) throw new Error(`${id} ended with ${JSON.stringify(output)}, not 3.`);
  }
  const rate = round((ORCHESTRATIONS / took) * 1000);
  say(`  ${String(ORCHESTRATIONS)} orchestrations of three activities in ${String(round(took))} ms: ${String(rate)}/s`);
  return rate;
}

async function measurePosts(bench: Bench, what: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < POSTS; n += 1) times.push(await timed(() => bench.post('start/three')));
  return sayTimes(what, times);
}

async function measureWaiting(bench: Bench): Promise<Figures['waiting10k']> {
  await measurePosts(bench, 'POST that starts an orchestration, none waiting');
  const before = rssMb(bench.pid);
  let ids: string[] = [];
  const took = await timed(async () => (ids = await runMany(bench, 'waiting', WAITING)));
  say(`  ${String(ids.length)} orchestrations wait after ${String(round(took))} ms`);
  const postP50Ms = await measurePosts(bench, `POST that starts an orchestration, ${String(WAITING)} waiting`);
  const after = rssMb(bench.pid);
  say(`  host ${String(round(before))} MB before, ${String(round(after))} MB with ${String(WAITING)} waiting`);
  const any = ids[Math.floor(ids.length / 2)] ?? '';
  await untilStatus(bench, any, 'Running');
  const woken = await timed(async () => {
    await bench.post(`raise/${any}`);
    await untilStatus(bench, any, 'Completed');
  });
  say(`  one of them gets its event and has ended ${String(round(woken))} ms later`);
  return { addedRssMb: round(after - before), postP50Ms };
}

function sayGoals(figures: Figures): void {
  const most = (what: string, value: number, goal: number, unit: string): [boolean, string] => [
    value <= goal,
    `${what.padEnd(44)} ${String(value).padStart(7)} ${unit}, goal at most ${String(goal)} ${unit}`,
  ];
  const rate = figures.orchestrationsPerSecond;
  const lines: [boolean, string][] = [
    most('ready', figures.readyMs, 5_000, 'ms'),
    most('build', figures.buildMs, 2_000, 'ms'),
    most('memory of the stack', figures.rssMb, 450, 'MB'),
    most('join request answered, p50', figures.postP50Ms, 40, 'ms'),
    most('decision to member, p50', figures.decisionToMemberP50Ms, 150, 'ms'),
    [
      rate >= 150,
      `${'orchestrations of three activities'.padEnd(44)} ${String(rate).padStart(7)} /s, goal at least 150 /s`,
    ],
    most('memory that 10,000 waiting ones add', figures.waiting10k.addedRssMb, 100, 'MB'),
  ];
  say('');
  for (const [held, line] of lines) say(`${held ? '✓' : '✗'} ${line}`);
}

async function measureStack(state: string, signal: AbortSignal) {
  const stack = await startStack({ state, signal });
  try {
    say('\nMemory of the stack, when it is ready');
    measureRss(stack);
    say('\nJoin requests');
    const { p50: postP50Ms, filed } = await measureFilings(stack);
    say('\nDecisions');
    const decisionToMemberP50Ms = await measureDecisions(stack, filed);
    say('\nMemory of the stack, after this work');
    return { rssMb: measureRss(stack), postP50Ms, decisionToMemberP50Ms };
  } catch (error) {
    for (const line of stack.logs('host').slice(-20)) say(`host | ${line}`);
    throw error;
  } finally {
    await stack.stop();
  }
}

async function bench(ending: AbortSignal): Promise<number> {
  const signal = AbortSignal.any([ending, AbortSignal.timeout(LIMIT_MS)]);
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const state = join(folder, 'stack');
  try {
    say(`${load()} at the start: whatever else runs makes these figures worse`);
    say('\nBuild');
    const buildMs = await measureBuild(signal);
    say('\nStart');
    const readyMs = await measureReady(state, signal);
    const worked = await measureStack(state, signal);
    say('\nThe host alone');
    const alone = mkdtempSync(join(folder, 'host-'));
    const { orchestrationsPerSecond, waiting10k } = await withHostAlone(alone, signal, async (host) => ({
      orchestrationsPerSecond: await measureThroughput(host),
      waiting10k: await measureWaiting(host),
    }));
    const figures: Figures = { readyMs, buildMs, ...worked, orchestrationsPerSecond, waiting10k };
    sayGoals(figures);
    say(`${load()} at the end`);
    say(JSON.stringify(figures));
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

runCommand(bench);

// `npm run bench:report`: how long the report of a large tenant takes, in how much memory, with how many calls to the directory, while that
// throttles now and then. `--groups <n>` for another size.
import { readFileSync } from 'node:fs';

import { people } from '../demo-tenant';
import { readReport } from '../report/client';
import { asSystem, changeDirectory } from '../stack/actors';
import { readOptions, runCommand } from '../stack/command';
import { startStack } from '../stack/stack';
import type { Stack } from '../stack/stack';
import { StackProblem } from '../stack/state-folder';

const USAGE = 'npm run bench:report -- [--groups <number>] [--no-members]';
const say = (text: string): void => console.log(text);

/** Most memory that the process ever held. */
function peakRssMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
}

/** Every kind of group, most of them with one owner, in the shares that a tenant has. */
async function makeTenant({ urls }: Stack, count: number): Promise<void> {
  await changeDirectory(urls, {
    type: 'createManyGroups',
    count,
    prefix: 'Team',
    microsoft365Every: 3,
    dynamicEvery: 20,
    syncedEvery: 5,
    roleAssignableEvery: 500,
    ownerlessEvery: 25,
    owners: [people.olivia.id, people.omar.id, people.mona.id, people.dana.id],
    members: Object.values(people).map(({ id }) => id),
  });
}

/** From time to time the directory puts calls off, whole batches and calls within them. */
async function throttle({ urls }: Stack): Promise<void> {
  const answer = { kind: 'answer', status: 429, headers: { 'retry-after': '1' }, body: '' };
  const rules = [
    { path: '/v1\\.0/\\$batch', skip: 100, times: 10, fault: answer },
    { path: '/members\\?', skip: 20_000, times: 50, fault: answer },
    { path: '/owners/', skip: 40_000, times: 50, fault: answer },
  ];
  for (const rule of rules) {
    const response = await fetch(`${urls.directory}/admin/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(rule),
    });
    if (!response.ok) throw new Error(await response.text());
  }
}

async function bench(signal: AbortSignal): Promise<number> {
  const options = readOptions(
    { groups: { type: 'string', default: '50000' }, 'no-members': { type: 'boolean', default: false } },
    USAGE,
  );
  if (!/^[1-9]\d{0,5}$/.test(options.groups)) throw new StackProblem(`--groups must be a number.\nUsage: ${USAGE}`);
  const stack = await startStack({ signal });
  try {
    say(`Making ${options.groups} groups …`);
    await makeTenant(stack, Number(options.groups));
    await throttle(stack);
    const system = await asSystem(stack.urls, 'adminTool');
    const host = stack.pids.host;
    const source = {
      baseUrl: stack.urls.frontDoor,
      // read anew where it has run out
      token: async () => {
        await system.call('GET', '/api/policies/default');
        return system.token;
      },
    };
    const atStart = peakRssMb(host);
    const started = performance.now();
    let next = 5_000;
    let peakAtTenth: number | undefined;
    let retries = 0;
    const parts = readReport(source, {
      members: !options['no-members'],
      signal,
      onLine: (read) => {
        if (read < next) return;
        next += 5_000;
        say(
          `  ${String(read)} groups, ${((performance.now() - started) / 1_000).toFixed(0)} s, ${String(peakRssMb(host))} MB`,
        );
        peakAtTenth ??= peakRssMb(host);
      },
      onRetry: (why) => {
        retries += 1;
        say(`  ${why}: going on`);
      },
    });
    for await (const part of parts) {
      if (!('end' in part)) continue;
      const { totals, spent } = part.end;
      say(
        JSON.stringify({
          groups: totals.groups,
          seconds: Math.round((performance.now() - started) / 100) / 10,
          peakRssMb: peakRssMb(host),
          peakRssMbAtStart: atStart,
          peakRssMbAt5000: peakAtTenth,
          ...spent,
          retries,
          members: !options['no-members'],
        }),
      );
    }
    return 0;
  } finally {
    await stack.stop();
  }
}

runCommand(bench);

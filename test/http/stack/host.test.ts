import { startStack } from '../../../local/stack/stack';
import type { Stack } from '../../../local/stack/stack';
import type { RecordedCall } from '../../../local/faults';
import { eventually, fixtureApp, isAlive, temporaryFolder } from './tools';

interface Now {
  now: string;
  pid: number;
  extra: string | null;
}

const HOUR = 3_600_000;

async function now(stack: Stack, base = stack.urls.host): Promise<Now> {
  return (await (await fetch(`${base}/api/now`)).json()) as Now;
}

async function writeNote(stack: Stack, key: string, text: string): Promise<number> {
  return (await fetch(`${stack.urls.host}/api/notes/${key}`, { method: 'PUT', body: text })).status;
}

async function readNote(stack: Stack, key: string): Promise<{ text: string; timestamp: string }> {
  return (await (await fetch(`${stack.urls.host}/api/notes/${key}`)).json()) as { text: string; timestamp: string };
}

describe('an app in the stack', () => {
  const folder = temporaryFolder();
  const events: string[] = [];
  let stack: Stack;
  const start = (): Promise<Stack> =>
    startStack({
      state: folder.path,
      app: fixtureApp,
      wires: true,
      supervise: true,
      env: { EXTRA: 'told' },
      onEvent: (sentence) => events.push(sentence),
    });

  beforeAll(async () => {
    stack = await start();
  });
  afterAll(async () => {
    await stack.stop();
    folder.remove();
  });

  test('runs in the host’s process, with the settings it was given besides, and is reached through the front door', async () => {
    const direct = await now(stack);
    expect(direct).toMatchObject({ pid: stack.pids.host, extra: 'told' });
    expect(await now(stack, stack.urls.frontDoor)).toMatchObject({ pid: direct.pid });
  });

  test('signs in to its tables with the managed identity, trusting the stack’s certificate, through the wire', async () => {
    expect(await writeNote(stack, 'first', 'hello')).toBe(204);
    expect(await readNote(stack, 'first')).toMatchObject({ text: 'hello' });
    const calls = (await (await fetch(`${stack.urls.wireAdmin}/admin/calls`)).json()) as RecordedCall[];
    expect(calls.some(({ method, path }) => method === 'PATCH' || (method === 'PUT' && path.includes('first')))).toBe(
      true,
    );
  });

  test('sees a move of the clock at once, as Azurite does', async () => {
    const before = Date.parse((await now(stack)).now);
    stack.clock.advance(26 * HOUR);
    const after = Date.parse((await now(stack)).now);
    expect(after - before).toBeGreaterThanOrEqual(26 * HOUR);
    expect(after - before).toBeLessThan(27 * HOUR);
    expect(await writeNote(stack, 'later', 'still signed in')).toBe(204);
    const { timestamp } = await readNote(stack, 'later');
    expect(Math.abs(Date.parse(timestamp) - after)).toBeLessThan(60_000);
  });

  test('stands still while the clock is stopped', async () => {
    stack.clock.stop();
    const first = (await now(stack)).now;
    const second = (await now(stack)).now;
    stack.clock.resume();
    expect(second).toBe(first);
  });

  test('is started again after a crash, and the reason is told', async () => {
    const { pid } = await now(stack);
    events.length = 0;
    const ended = stack.ended('host');
    await fetch(`${stack.urls.host}/api/crash`, { method: 'POST' });
    await ended;
    await eventually(() => events.includes('host runs again.'));
    expect(events[0]).toMatch(/^host ended \(code \d+\): starting it again\.$/);
    expect(stack.logs('host').join('\n')).toContain('The fixture crashes as it was asked to.');
    const again = await now(stack);
    expect(again.pid).not.toBe(pid);
    expect(again.pid).toBe(stack.pids.host);
    expect(await readNote(stack, 'first')).toMatchObject({ text: 'hello' });
  });

  test('is started again after a SIGKILL on the same port', async () => {
    events.length = 0;
    await stack.kill('host');
    await eventually(() => events.includes('host runs again.'));
    expect((await now(stack)).pid).toBe(stack.pids.host);
  });

  test('ends with the stack, and finds its tables again in the next one', async () => {
    expect(await writeNote(stack, 'last', 'before the stop')).toBe(204);
    const pids = Object.values(stack.pids);
    expect(pids).toHaveLength(3);
    await stack.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    stack = await start();
    expect(await readNote(stack, 'last')).toMatchObject({ text: 'before the stop' });
  });
});

describe('an app that cannot start', () => {
  test('ends the start with its own words and leaves no process behind', async () => {
    const pids: number[] = [];
    const starting = startStack({ app: __dirname, onLog: () => undefined }).then((stack) => {
      pids.push(...Object.values(stack.pids));
      return stack.stop();
    });
    await expect(starting).rejects.toThrow(/host ended at its start[^]*host\.json/);
    expect(pids).toEqual([]);
  });
});

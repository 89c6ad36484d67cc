import { build, call, endHosts, Orchestration, startHost, temporaryFolder } from './host-process';

// What the host has said yes to is kept, though it is killed the moment it has said so.

const folder = temporaryFolder();

beforeAll(() => void build());
afterEach(endHosts);
afterAll(() => folder.remove());

test('starts, events and terminations that were answered before a kill are there after it', async () => {
  const start = { state: folder.at('state') };
  for (let round = 0; round < 5; round += 1) {
    const first = await startHost(start);
    const waits = await Orchestration.start(first.base, 'eventsInAnyOrder', null);
    const ends = await Orchestration.start(first.base, 'eventsInAnyOrder', null);
    expect((await waits.raise('second', round)).status).toBe(202);
    expect((await waits.raise('first', 1)).status).toBe(202);
    expect((await ends.manage('terminate', 'now')).status).toBe(202);
    const late = call(first.base, 'POST', `/api/start/sequence/late-${round}`, 'null').catch(() => undefined);
    await first.kill('SIGKILL');

    const second = await startHost(start);
    expect(await waits.at(second.base).ended()).toMatchObject({ output: [1, round] });
    expect(await ends.at(second.base).ended()).toMatchObject({ runtimeStatus: 'Terminated', output: 'now' });
    if ((await late)?.status === 200) {
      const { urls, id } = ends.at(second.base);
      const statusQueryGetUri = urls.statusQueryGetUri.replace(id, `late-${round}`);
      expect((await new Orchestration({ ...urls, statusQueryGetUri }).ended()).runtimeStatus).toBe('Completed');
    }
    await second.kill('SIGKILL');
  }
}, 120_000);

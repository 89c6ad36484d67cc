import { sweep } from '../../../orchestrations/sweeper';
import type { Workflows } from '../../../orchestrations/sweeper';
import * as lives from '../../../shared/domain/group-life';
import { lifetimePolicySchema } from '../../../shared/domain/group-lifetime';
import { postpone } from '../../../shared/domain/join-request';
import { lifePointers } from '../../../shared/records/group-lives';
import type { Records } from '../../../shared/records/records';
import type { Table } from '../../../shared/records/tables';
import type { Services } from '../../../shared/services';
import { memoryRecords } from '../../model/memory-tables';
import { after, filed, START } from '../shared/domain/requests';

const VIA = { route: 'test' };
const MINUTE = 60_000;
const by = { kind: 'person', id: 'me', name: 'Me' } as const;

/** Nothing is to be started here. */
const resting = { resume: () => Promise.resolve(false), attend: () => Promise.resolve(false) };
const workflows = {
  join: resting,
  grant: resting,
  change: resting,
  life: resting,
  care: resting,
} as unknown as Workflows;
const removedBySweep = async (records: Records, at: Date): Promise<number> =>
  (
    await sweep({ records } as Services, workflows, at, (message) => {
      throw new Error(message);
    })
  ).removed;

/** Records whose states are written when `meanwhile` is over: their pointers stand by then. */
function slowRecords(meanwhile: () => Promise<unknown>): Records {
  const slow = (table: Table): Table => ({
    ...table,
    transact: async (...args) => {
      await meanwhile();
      return table.transact(...args);
    },
  });
  return memoryRecords(({ requests, policies }) => ({ requests: slow(requests), policies: slow(policies) }));
}

afterEach(() => jest.restoreAllMocks());

test('what stands still and is due is in nobody’s way, however much of it there is: the next sweep goes on behind it', async () => {
  const records = slowRecords(() => Promise.resolve());
  for (let n = 0; n < 500; n += 1)
    await records.open.put({ due: after(-5 * MINUTE).toISOString(), kind: 'grant', requestId: `g${String(n)}` });
  const { request } = postpone({ ...filed(), id: 'r9' }, 'mail', after(-2 * MINUTE));
  await records.requests.create({ request, entries: [] }, VIA);
  const resumed: string[] = [];
  const join = {
    resume: (id: string) => {
      resumed.push(id);
      return Promise.resolve(true);
    },
  };
  const run = (from?: string) =>
    sweep({ records } as Services, { ...workflows, join } as unknown as Workflows, START, () => undefined, from);
  const first = await run();
  expect(resumed).toEqual([]);
  const second = await run(first.next);
  expect(resumed).toEqual(['r9']);
  expect(second.next).toBeUndefined();
});

describe.each([
  ['an hour', 60 * MINUTE, 1],
  ['a minute', MINUTE, 0],
])('what took %s to be written is not forgotten, whatever the sweeper removed meanwhile', (_, late, removed) => {
  let meanwhile: () => Promise<unknown>;
  let removals: number[];
  const records = slowRecords(() => meanwhile());
  const now = (ms: number): void => {
    jest.spyOn(Date, 'now').mockReturnValue(after(ms).getTime());
  };
  beforeEach(() => {
    now(0);
    removals = [];
    meanwhile = () => Promise.resolve();
  });
  const takesLong = (): void => {
    meanwhile = async () => {
      now(late);
      removals.push(await removedBySweep(records, after(late)));
    };
  };

  test('a request', async () => {
    const request = filed();
    const stored = await records.requests.create({ request, entries: [] }, VIA);
    const waiting = postpone(request, 'mail', after(1_000));
    takesLong();
    await records.requests.write(stored, waiting, VIA);
    expect(removals).toEqual([removed]);
    expect(await records.open.lost(records.requests.pointers(waiting.request))).toEqual([]);
  });

  test('a request that is filed', async () => {
    const { request } = postpone({ ...filed(), id: 'r2' }, 'mail', after(1_000));
    takesLong();
    await records.requests.create({ request, entries: [] }, VIA);
    expect(removals).toEqual([removed]);
    expect(await records.open.lost(records.requests.pointers(request))).toEqual([]);
  });

  test('the life of a group', async () => {
    const rules = lifetimePolicySchema.parse({ lifetime: 'P40D' });
    const begun = lives.beginLife(
      { group: { id: 'g', name: 'Kites' }, kind: 'security', by, changeId: 'c' },
      rules,
      START,
    );
    const stored = await records.lives.create(begun, VIA);
    const waiting = lives.postponeLife(begun.life, 'mail', after(1_000));
    takesLong();
    await records.lives.write(stored, waiting, VIA);
    expect(removals).toEqual([removed]);
    expect(await records.open.lost(lifePointers(waiting.life))).toEqual([]);
  });
});

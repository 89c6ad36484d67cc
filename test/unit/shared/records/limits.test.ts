import { limits } from '../../../../shared/records/limits';
import type { Counted, Limits } from '../../../../shared/records/limits';
import type { Table } from '../../../../shared/records/tables';
import { memoryTable } from '../../../model/memory-tables';

const MOST = { app: 16, person: 4, group: 6 };
const START = new Date('2026-03-02T09:00:00Z');
const HOUR = 3_600_000;
const after = (ms: number): Date => new Date(START.getTime() + ms);

const person: Counted = { kind: 'person', id: 'rita' };
const group: Counted = { kind: 'group', id: 'design' };
const app: Counted = { kind: 'app', id: 'portal' };

/** A table that says which of its calls were made. */
function watched(table: Table): { table: Table; calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    table: {
      ...table,
      get: (...given) => (calls.push('get'), table.get(...given)),
      create: (row) => (calls.push('create'), table.create(row)),
      replace: (row, etag) => (calls.push('replace'), table.replace(row, etag)),
    },
  };
}

async function admitted(all: readonly Limits[], counted: Counted[], times: number): Promise<number> {
  let yes = 0;
  for (let n = 0; n < times; n += 1) if ((await all[n % all.length]?.count(counted, START)) === 0) yes += 1;
  return yes;
}

test('instances of the app share the counters, though each remembers what it last saw', async () => {
  const table = memoryTable();
  expect(await admitted([limits(table, MOST), limits(table, MOST), limits(table, MOST)], [person], 12)).toBe(4);
});

test('of many calls at once as many are let through as of one after the other', async () => {
  const counting = limits(memoryTable(), MOST);
  const waits = await Promise.all(Array.from({ length: 40 }, () => counting.count([person], START)));
  expect(waits.filter((wait) => wait === 0)).toHaveLength(4);
});

test('all rows of an app’s counter together hold its limit', async () => {
  const table = memoryTable();
  expect(await admitted([limits(table, MOST), limits(table, MOST)], [app], 40)).toBe(16);
});

test('a call that is refused for its person uses up nothing of what the group has', async () => {
  const counting = limits(memoryTable(), MOST);
  expect(await admitted([counting], [person, group], 20)).toBe(4);
  expect(await admitted([counting], [{ kind: 'person', id: 'omar' }, group], 20)).toBe(2);
});

test('nor do many such calls at once', async () => {
  const counting = limits(memoryTable(), MOST);
  const waits = await Promise.all(Array.from({ length: 40 }, () => counting.count([person, group], START)));
  expect(waits.filter((wait) => wait === 0)).toHaveLength(4);
  expect(await admitted([counting], [{ kind: 'person', id: 'omar' }, group], 20)).toBe(2);
});

test('a call that none of its limits is near is counted for all of them at once', async () => {
  const { table, calls } = watched(memoryTable());
  let most = 0;
  let now = 0;
  const slow = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    now += 1;
    most = Math.max(most, now);
    await new Promise(setImmediate);
    now -= 1;
    return work();
  };
  const counting = limits({ ...table, create: (row) => slow(() => table.create(row)) }, MOST);
  expect(await counting.count([app, person, group], START)).toBe(0);
  expect([most, calls.filter((call) => call === 'create')]).toEqual([3, ['create', 'create', 'create']]);
});

test('the next hour starts anew, and the answer says when that is', async () => {
  const counting = limits(memoryTable(), MOST);
  expect(await admitted([counting], [person], 5)).toBe(4);
  expect(await counting.count([person], after(HOUR - 60_000))).toBe(60_000);
  expect(await counting.count([person], after(HOUR))).toBe(0);
});

test('what an instance has seen it writes upon at once; a flood that is refused makes no call', async () => {
  const { table, calls } = watched(memoryTable());
  const counting = limits(table, MOST);
  await admitted([counting], [person], 3);
  expect(calls).toEqual(['get', 'create', 'replace', 'replace']);
  await admitted([counting], [person], 50);
  expect(calls).toHaveLength(5);
});

import { claims, takeClaim } from '../../../../shared/records/claims';
import { memoryTable } from '../../../model/memory-tables';

const START = new Date('2026-03-02T09:00:00Z');
const after = (minutes: number): Date => new Date(START.getTime() + minutes * 60_000);
const PAIR = ['group', 'person'] as const;
const never = { read: () => Promise.resolve(undefined), holds: () => true };

test('a claim whose holder never came to be is had by one of those who want it, also where the first of them tries again', async () => {
  const all = claims(memoryTable());
  const take = async (id: string, minutes: number): Promise<string> =>
    (await takeClaim(all, PAIR, id, after(minutes), never)).kind;
  expect(await take('first', 0)).toBe('taken');
  // the host died here; what it was asked is repeated, and somebody else asks as well
  expect(await take('first', 1)).toBe('taken');
  expect(await take('second', 1)).toBe('in-progress');
  expect((await Promise.all([take('first', 10), take('second', 10)])).toSorted()).toEqual(['in-progress', 'taken']);
  const holder = (await all.read(...PAIR))?.requestId ?? '';
  expect([await take(holder, 11), await take(holder === 'first' ? 'second' : 'first', 11)]).toEqual([
    'taken',
    'in-progress',
  ]);
});

test('a claim of somebody who keeps it is theirs for ever; of somebody who lets go it is the next one’s', async () => {
  const all = claims(memoryTable());
  let keeps = true;
  const holder = { read: (id: string) => Promise.resolve({ id }), holds: () => keeps };
  await takeClaim(all, PAIR, 'first', START, holder);
  expect(await takeClaim(all, PAIR, 'second', after(60), holder)).toEqual({ kind: 'held', by: { id: 'first' } });
  keeps = false;
  expect(await takeClaim(all, PAIR, 'second', after(60), holder)).toEqual({ kind: 'taken' });
  expect((await all.read(...PAIR))?.requestId).toBe('second');
});

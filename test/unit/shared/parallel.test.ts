import { oneAhead } from '../../../shared/parallel';

const log: string[] = [];
async function* numbers(failAt = Infinity): AsyncGenerator<number, void> {
  try {
    for (let n = 1; n <= 4; n += 1) {
      await Promise.resolve();
      if (n === failAt) throw new Error(`no ${String(n)}`);
      log.push(`made ${String(n)}`);
      yield n;
    }
  } finally {
    log.push('closed');
  }
}
beforeEach(() => log.splice(0));

/** Lets everything happen that waits for nothing outside. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

test('the next item is made while one is worked on, and no more than that', async () => {
  for await (const n of oneAhead(numbers())) {
    await settled();
    log.push(`used ${String(n)}`);
  }
  expect(log).toEqual([...['made 1', 'made 2', 'used 1', 'made 3', 'used 2', 'made 4', 'used 3', 'closed', 'used 4']]);
});

test('a failure comes after the items before it', async () => {
  const used: number[] = [];
  await expect(async () => {
    for await (const n of oneAhead(numbers(3))) used.push(n);
  }).rejects.toThrow('no 3');
  expect(used).toEqual([1, 2]);
});

test('who stops early closes the source', async () => {
  for await (const _n of oneAhead(numbers())) break;
  expect(log.at(-1)).toBe('closed');
});

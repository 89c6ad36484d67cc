import { StartFailure } from '../../../../local/stack/child';
import { onFreePorts } from '../../../../local/stack/stack';

const taken = new StartFailure(
  'services ended at its start (code 1):',
  ['Error: listen EADDRINUSE: address already in use'],
  undefined,
);

/** A start that fails so often in this way. */
function starting(failures: number, error: Error): { start: () => Promise<string>; starts: () => number } {
  let starts = 0;
  return {
    start: () => {
      starts += 1;
      return starts <= failures ? Promise.reject(error) : Promise.resolve('started');
    },
    starts: () => starts,
  };
}

test('a port that somebody took between its choice and its use is exchanged for another one', async () => {
  const { start, starts } = starting(2, taken);
  expect([await onFreePorts(start), starts()]).toEqual(['started', 3]);
});

test('where ports are taken again and again, and where anything else is wrong, the start says so', async () => {
  const again = starting(9, taken);
  await expect(onFreePorts(again.start)).rejects.toBe(taken);
  expect(again.starts()).toBe(4);
  const other = starting(1, new StartFailure('host ended at its start (code 1):', ['host.json is missing'], undefined));
  await expect(onFreePorts(other.start)).rejects.toThrow('host.json is missing');
  expect(other.starts()).toBe(1);
});

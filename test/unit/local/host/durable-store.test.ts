import { DatabaseSync } from 'node:sqlite';
import { events } from '../../../../local/host/durable/history';
import type { Instance } from '../../../../local/host/durable/store';
import { DurableStore, parseEvent } from '../../../../local/host/durable/store';

const instance = (id: string, given: Partial<Instance> = {}): Instance => ({
  id,
  executionId: 'x',
  name: 'o',
  version: null,
  status: 'Running',
  input: '1',
  output: null,
  customStatus: null,
  created: 1000,
  updated: 1000,
  parent: null,
  ...given,
});
const open = (): DurableStore => new DurableStore(new DatabaseSync(':memory:'));

test('a step that throws leaves nothing behind', () => {
  const store = open();
  const step = (): void => {
    store.putInstance(instance('a'));
    store.send({ instanceId: 'a', executionId: undefined, event: events.eventRaised(1, 'e', '1') });
    throw new Error('killed');
  };
  expect(() => store.transaction(step)).toThrow('killed');
  expect(store.instance('a')).toBeUndefined();
  expect(store.instancesWithMessages()).toEqual([]);
});

test('an instance comes back as it was put, its parent included', () => {
  const store = open();
  const whole = instance('a', {
    version: '1.0',
    parent: { name: 'p', instanceId: 'b', executionId: 'y', taskId: 3 },
    output: 'text',
  });
  store.putInstance(whole);
  expect(store.instance('a')).toEqual(whole);
});

test('history that is read again shows what arrived as played, and what the episode wrote as not', () => {
  const store = open();
  store.appendHistory('a', 0, [
    events.orchestratorStarted(1),
    events.taskCompleted(1, 0, null),
    events.taskScheduled(1, 1, 'x'),
  ]);
  expect(store.history('a').map((text) => parseEvent(text).IsPlayed)).toEqual([false, true, false]);
});

test('due timers come in the order of their times, and the next due is the earliest', () => {
  const store = open();
  for (const due of [30, 10, 20, 40]) store.createTimer({ instanceId: 'a', executionId: 'x', taskId: due, due });
  expect(store.nextDue()).toBe(10);
  expect(store.dueTimers(30, 2).map((timer) => timer.due)).toEqual([10, 20]);
  expect(store.dueTimers(5, 9)).toEqual([]);
});

test('filters choose by status, time and the beginning of the id', () => {
  const store = open();
  store.putInstance(instance('p_1', { status: 'Completed', created: 10 }));
  store.putInstance(instance('p%2', { status: 'Failed', created: 20 }));
  store.putInstance(instance('q', { status: 'Completed', created: 30 }));
  expect(store.instanceIds({ idPrefix: 'p_' })).toEqual(['p_1']);
  expect(store.instanceIds({ statuses: ['Completed'], createdFrom: 20 })).toEqual(['q']);
  expect(store.instanceIds({ createdTo: 20 }).sort()).toEqual(['p%2', 'p_1']);
  expect(store.instances({}, 'p_1', 1).map(({ id }) => id)).toEqual(['p_1']);
});

test('a removed instance takes its history, messages and timers with it', () => {
  const store = open();
  store.putInstance(instance('a'));
  store.appendHistory('a', 0, [events.orchestratorStarted(1)]);
  store.send({ instanceId: 'a', executionId: undefined, event: events.eventRaised(1, 'e', '1') });
  store.createTimer({ instanceId: 'a', executionId: 'x', taskId: 0, due: 5 });
  store.removeInstance('a');
  expect([store.instance('a'), store.history('a'), store.messages('a'), store.nextDue()]).toEqual([
    undefined,
    [],
    [],
    undefined,
  ]);
});

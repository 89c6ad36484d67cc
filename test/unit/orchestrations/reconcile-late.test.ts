import { tellLateReconcile } from '../../../orchestrations/housekeeping';
import { operationsNotes } from '../../../shared/records/operations-notes';
import type { Reconciled } from '../../../shared/records/operations-notes';
import { within } from '../../../shared/telemetry';
import { memoryTable } from '../../model/memory-tables';

const HOUR = 3_600_000;
const begin = new Date('2026-11-24T12:00:00.000Z');
const after = (hours: number): Date => new Date(begin.getTime() + hours * HOUR);

/** The lines that the hourly look logs at each of the times. */
async function linesAt(notes: ReturnType<typeof operationsNotes>, ...hours: number[]): Promise<string[]> {
  const lines: string[] = [];
  for (const each of hours)
    await within({ log: (line) => lines.push(line) }, () =>
      tellLateReconcile({ records: { notes } as never }, after(each)),
    );
  return lines;
}

test('a new installation has two nights for its first reconcile, then one that never ends is told each hour', async () => {
  const notes = operationsNotes(memoryTable());
  expect(await linesAt(notes, 0, 1, 47, 48)).toEqual([]);
  expect(await linesAt(notes, 49, 50)).toEqual(['reconcile-late {"hours":49}', 'reconcile-late {"hours":50}']);
});

test('what counts is when one ended, not when one began; once one has ended it is silent again', async () => {
  const notes = operationsNotes(memoryTable());
  const ended = (hours: number): Reconciled => ({
    startedAt: after(hours - 1).toISOString(),
    endedAt: after(hours).toISOString(),
    found: {} as never,
  });
  await notes.write('reconcile', ended(0));
  expect(await linesAt(notes, 48)).toEqual([]);
  await notes.write('reconciling', {
    startedAt: after(48).toISOString(),
    part: 'requests',
    after: '',
    found: {} as never,
  });
  expect(await linesAt(notes, 49)).toEqual(['reconcile-late {"hours":49}']);
  await notes.write('reconcile', ended(50));
  expect(await linesAt(notes, 51)).toEqual([]);
});

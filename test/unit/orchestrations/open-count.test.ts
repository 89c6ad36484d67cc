import { countOpen } from '../../../orchestrations/open-count';
import * as changes from '../../../shared/domain/group-change';
import * as lives from '../../../shared/domain/group-life';
import * as joinRequest from '../../../shared/domain/join-request';
import { NEVER_DUE } from '../../../shared/records/open-rows';
import type { OpenKind } from '../../../shared/records/open-rows';
import { memoryRecords } from '../../model/memory-tables';
import { after, filed, START } from '../shared/domain/requests';

const VIA = { route: 'test' };
const why = { rule: 'x', sentence: 'y' };
const by = { kind: 'person', id: 'me', name: 'Me' } as const;

test('what waits for operations is counted; a pointer of what went on since is not, whatever it is of, and goes', async () => {
  const records = memoryRecords();
  const failed = joinRequest.delayTold(joinRequest.fail(filed(), why, START).request);
  await records.requests.create(failed, VIA);
  // these went on, and a writer that came too late left its pointer
  await records.requests.create({ request: { ...filed(), id: 'r2' }, entries: [] }, VIA);
  const task = { kind: 'add-member', person: { id: 'm', name: 'M' } } as const;
  const change = changes.ask(
    { id: 'c', task, group: { id: 'g', name: 'G' }, askedBy: { id: 'o', name: 'O' }, as: 'owner' },
    START,
  );
  await records.changes.create(change, VIA);
  const group = { id: 'h', name: 'Kites' };
  await records.lives.create(lives.beginLife({ group, kind: 'security', by, changeId: 'c' }, undefined, START), VIA);
  const late: [OpenKind, string][] = [
    ['join', 'r2'],
    ['change', 'c'],
    ['life', 'h'],
  ];
  for (const [kind, requestId] of late) await records.open.put({ due: NEVER_DUE, kind, requestId });
  // the pointer stands before what it points to
  await records.open.put({ due: NEVER_DUE, kind: 'change', requestId: 'comes' });

  const counted = await countOpen({ records }, undefined, after(1_000));
  expect(counted).toMatchObject({ failed: 2 });
  const left = await records.open.between(NEVER_DUE, undefined, 10);
  expect(left.map(({ kind, requestId }) => `${kind} ${requestId}`).toSorted()).toEqual(['change comes', 'join r1']);
});

import * as joinRequest from '../../../../shared/domain/join-request';
import type { Records } from '../../../../shared/records/records';
import { Conflict } from '../../../../shared/records/tables';
import type { Table } from '../../../../shared/records/tables';
import { memoryRecords } from '../../../model/memory-tables';
import { after, filed } from '../domain/requests';

const VIA = { route: 'test' };
const by = { kind: 'person', id: 'me' } as const;

/** Records in tables of which `before` is run before a row is read from that of the requests. */
function records(before: () => Promise<void>): Records {
  return memoryRecords(({ requests }) => {
    const get: Table['get'] = async (...key) => {
      await before();
      return requests.get(...key);
    };
    return { requests: { ...requests, get } };
  });
}

test('whoever wrote a state that another one followed at once can’t write upon that one, though the service told no ETag', async () => {
  let meanwhile = (): Promise<unknown> => Promise.resolve();
  const { requests } = records(async () => {
    const now = meanwhile;
    meanwhile = () => Promise.resolve();
    await now();
  });
  const request = filed();
  const created = await requests.create({ request, entries: [] }, VIA);
  const withdrawn = joinRequest.withdraw(request, by, after(2));
  const noted = joinRequest.notePolicy(request, 'group@2', after(1));
  if (withdrawn === undefined || noted === undefined) throw new Error('nothing to write');

  // between the write and the look at its ETag somebody else reads it and withdraws the request
  meanwhile = async () => {
    const stored = await requests.read(request.id);
    if (stored === undefined) throw new Error('gone');
    await requests.write(stored, { ...withdrawn, request: { ...withdrawn.request, policySeen: 'group@2' } }, VIA);
  };
  const written = await requests.write(created, noted, VIA);
  expect([written.request.state, written.request.policySeen]).toEqual(['pending', 'group@2']);
  const expired = { request: { ...written.request, state: 'expired' as const }, entries: [] };
  await expect(requests.write(written, expired, VIA)).rejects.toThrow(Conflict);
  expect((await requests.read(request.id))?.request.state).toBe('withdrawn');
});

test('whoever wrote last goes on writing', async () => {
  const { requests } = records(() => Promise.resolve());
  const request = filed();
  const noted = joinRequest.notePolicy(request, 'group@2', after(1));
  if (noted === undefined) throw new Error('nothing to write');
  const written = await requests.write(await requests.create({ request, entries: [] }, VIA), noted, VIA);
  const withdrawn = joinRequest.withdraw(written.request, by, after(2));
  if (withdrawn === undefined) throw new Error('nothing to write');
  expect((await requests.write(written, withdrawn, VIA)).request.state).toBe('withdrawn');
});

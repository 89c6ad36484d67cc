import { applyChange } from '../../../orchestrations/activities/apply-change';
import { DirectoryRefused, DirectoryUnavailable } from '../../../shared/directory/directory';
import type { Directory } from '../../../shared/directory/directory';
import * as changes from '../../../shared/domain/group-change';
import { takeChangeClaims } from '../../../shared/group-changes/claim';
import type { ClaimResult } from '../../../shared/group-changes/claim';
import { changeStored } from '../../../shared/records/dossiers';
import type { Records } from '../../../shared/records/records';
import type { Services } from '../../../shared/services';
import { memoryRecords } from '../../model/memory-tables';
import { after, START } from '../shared/domain/requests';

/** Two deliveries of the same step: one comes through while the other asks the directory, and is answered otherwise. */
const VIA = { route: 'test' };
const group = { id: 'g', name: 'G' };
const person = { id: 'm', name: 'M' };
const input = { requestId: 'c', at: after(1_000).toISOString(), attempt: 2 };

let records: Records;
beforeEach(async () => {
  records = memoryRecords();
  const asking = { id: 'c', task: { kind: 'add-member', person }, group, askedBy: { id: 'o', name: 'O' }, as: 'owner' };
  const asked = changes.ask(asking as changes.Asking, START).request;
  await records.changes.create({ request: asked, entries: [] }, VIA);
  await write((change) => changes.startApplying(change, { wasMember: false }, START));
  // an attempt before waited for the directory
  await write((change) => changes.postpone(change, 'directory', START));
  await records.memberships.update('g', 'm', () => ({
    wanted: 'in',
    addedByGatehouse: true,
    grants: [{ requestId: 'c', from: START.toISOString() }],
  }));
});

const write = (step: (change: changes.GroupChange) => changes.Step | undefined) =>
  changeStored(records.changes, 'c', VIA, step);
const otherComesThrough = () => write((change) => changes.done(change, START));
const stands = async () => (await records.changes.read('c'))?.request;
const grants = async () => (await records.memberships.read('g', 'm'))?.grants.map(({ requestId }) => requestId);

const services = (isMember: () => Promise<boolean>, group = () => Promise.resolve<undefined>(undefined)): Services => {
  const missing = () => Promise.resolve(undefined);
  const directory = { isMember, group, person: missing, owners: () => Promise.resolve([]) };
  return {
    records,
    directory: directory as unknown as Directory,
    config: { defaultPolicy: {} },
  } as unknown as Services;
};

test('one that the directory refused leaves what the other did', async () => {
  const refused = services(async () => {
    await otherComesThrough();
    throw new DirectoryRefused(403, 'Authorization_RequestDenied', 'no');
  });
  expect(await applyChange(refused, input)).toMatchObject({ state: 'done' });
  expect(await stands()).toMatchObject({ state: 'done' });
  expect(await grants()).toEqual(['c']);
});

test('one that could not reach the directory leaves what the other did and told', async () => {
  const down = services(async () => {
    await otherComesThrough();
    await write((change) => changes.tell(change, START, {}));
    throw new DirectoryUnavailable('not now');
  });
  expect(await applyChange(down, input)).toMatchObject({ state: 'done', due: null });
  expect(await stands()).toMatchObject({ state: 'done', due: null, waitingFor: null, told: true });
});

test('one that finds the group gone leaves the grant of what the other did in the books', async () => {
  const gone = services(async () => {
    await otherComesThrough();
    return false;
  });
  expect(await applyChange(gone, input)).toMatchObject({ state: 'done' });
  expect(await grants()).toEqual(['c']);
});

test('the grant of a member who was not added goes once that is written, also where the host died between', async () => {
  const gone = services(() => Promise.resolve(false));
  expect(await applyChange(gone, input)).toMatchObject({ state: 'cancelled' });
  expect(await grants()).toEqual([]);

  await records.memberships.update('g', 'm', () => ({
    wanted: 'in',
    addedByGatehouse: true,
    grants: [{ requestId: 'c', from: START.toISOString() }],
  }));
  expect(await applyChange(gone, input)).toMatchObject({ state: 'cancelled' });
  expect(await grants()).toEqual([]);
});

test('one that operations let try again keeps others from the same while it is applied', async () => {
  const filing = { task: { kind: 'add-member', person }, as: 'owner', groupId: 'g', id: 'd' } as const;
  await write((change) => changes.fail(change, { rule: 'x', sentence: 'y' }, START));
  await write((change) => changes.retry(change, { kind: 'app', id: 'ops' }, START));
  let other: ClaimResult | undefined;
  const meanwhile = services(
    () => Promise.resolve(false),
    async () => {
      other = await takeChangeClaims({ records } as Services, filing, after(2_000));
      throw new DirectoryUnavailable('not now');
    },
  );
  await applyChange(meanwhile, input);
  expect(other).toMatchObject({ kind: 'open-already', change: { id: 'c' } });
});

test('what was filed before the permission was taken away is not done with it', async () => {
  const task = { kind: 'add-owner', person } as const;
  const asking = { id: 'e', task, group, askedBy: { id: 'o', name: 'O' }, as: 'owner' } as const;
  const { request } = changes.startApplying(changes.ask(asking, START).request, {}, START);
  await records.changes.create({ request, entries: [] }, VIA);
  const added: string[] = [];
  const strict = services(() => Promise.resolve(false));
  const directory = {
    ...strict.directory,
    owners: () => Promise.resolve([{ id: 'm' }]),
    addOwner: (_group: string, id: string) => Promise.resolve(added.push(id)),
  };
  const config = { GRAPH_PERMISSIONS: 'strict' };
  const withConfig = { ...strict, directory, config } as unknown as Services;
  await applyChange(withConfig, { ...input, requestId: 'e' });
  expect(added).toEqual([]);
  expect((await records.changes.read('e'))?.request).toMatchObject({ state: 'failed', why: { rule: 'feature-off' } });
});

import { postponed } from '../../orchestrations/activities/standing';
import type { Services } from '../../shared/services';
import {
  DAY,
  HOUR,
  as,
  decide,
  design,
  disable,
  file,
  mailsTo,
  olga,
  omar,
  operations,
  ravi,
  rita,
} from '../model/deeds';
import { randomOf } from '../model/schedule';
import { World } from '../model/world';
import { GROUPS, PEOPLE } from '../model/cast';

/**
 * What the model-based test found, each as the shortest story that shows it. The world is the model's: the app's own parts, and a schedule
 * that lets a host die at a chosen call (docs/proof.md).
 */
let world: World;
beforeEach(() => {
  world = new World({ people: PEOPLE, groups: GROUPS });
  world.schedule.random = randomOf(1);
});
afterEach(() => world.close());

const asked = async (id: string, person: string): Promise<number> =>
  ((await world.dossier(id))?.trail ?? []).filter(
    ({ event, data }) => event === 'approvers-asked' && (data?.['people'] as string[]).includes(person),
  ).length;

const mails = async (person: string, subject: RegExp): Promise<number> =>
  (await mailsTo(world, person, subject)).length;

test.each([1, 2, 3, 4])(
  'a step that is delivered twice asks once, and the trail says so once (order %i)',
  async (order) => {
    world.schedule.random = randomOf(order);
    world.duplicates = true;
    const { id } = file(world);
    await world.settle();
    expect(await mails(olga, /^rita asks/)).toBe(1);
    expect(await asked(id(), olga)).toBe(1);
    expect(await asked(id(), omar)).toBe(1);
  },
);

test('whoever was asked just before the host died, and then may decide no more, is told how it ended', async () => {
  const { id } = file(world);
  // the host dies when the first mail is out and nothing was written of it
  while ((await mails(olga, /^rita asks/)) === 0) await world.settle(1);
  world.kill(0);
  world.directory.store.removeLink('owner', design.id, olga);
  await world.settle();
  expect(await asked(id(), olga)).toBe(0);

  world.call('cancelRequest', operations, { params: { requestId: id() }, body: { reason: 'Not now.' } });
  await world.settle();
  expect(await mails(olga, /^Re: rita asks/)).toBe(1);
  expect(await asked(id(), olga)).toBe(1);
  expect((await world.request(id()))?.told).toBe(true);
});

test('a reminder that went out just before the host died is not sent again as a part of a digest', async () => {
  const first = file(world);
  await world.pass(world.now() + HOUR);
  const second = file(world, ravi);
  await world.settle();
  // what lies on the desk is not read again yet when the reminder is planned
  const linkId = (await world.dossier(second.id()))?.links.get(omar)?.id ?? '';
  await world.records.desks.remove(omar, second.id());
  const { stage } = (await world.request(first.id())) ?? {};
  await world.arrive(new Date(stage?.askedAt ?? 0).getTime() + 3 * DAY);

  // the host dies when the first reminder is out and nothing was written of it
  const reminders = (): Promise<number> => mails(omar, /^Re: rita asks/);
  while ((await reminders()) === 0) expect(await world.settle(1)).toBe('stopped');
  world.kill(0);
  await world.records.desks.put(omar, { requestId: second.id(), linkId });
  await world.settle();
  expect(await reminders()).toBe(1);
  expect(await mails(omar, /wait/)).toBe(0);
  expect((await world.dossier(first.id()))?.mails.get(`remind_0_0_1_${omar}`)?.status).toBe('accepted');
});

test('a reminder that went out just before the host died, of a request that can no longer be granted, stands in the trail', async () => {
  const { id } = file(world);
  await world.settle();
  const { stage } = (await world.request(id())) ?? {};
  await world.arrive(new Date(stage?.askedAt ?? 0).getTime() + 3 * DAY);
  const reminded = async (): Promise<unknown[]> =>
    ((await world.dossier(id()))?.trail ?? []).flatMap(({ event, data }) =>
      event === 'approvers-reminded' ? (data?.['people'] as string[]) : [],
    );
  const reminders = async (): Promise<number> =>
    (await mails(olga, /^Re: rita asks/)) + (await mails(omar, /^Re: rita asks/));
  while ((await reminders()) === 0) expect(await world.settle(1)).toBe('stopped');
  world.kill(0);
  const before = await reminders();
  const found = world.directory.store.findGroup(design.id, 'now');
  if (found === undefined) throw new Error('the group is there');
  const properties = { ...found.properties, groupTypes: ['DynamicMembership'] };
  world.directory.store.replace({ type: 'group', properties });
  await world.settle();

  const dossier = await world.dossier(id());
  expect(dossier?.stored.request.state).toBe('cancelled');
  expect(await reminded()).toHaveLength(before);
  const sent = [...(dossier?.mails.values() ?? [])].filter(
    ({ key, status }) => /^remind_/.test(key) && status === 'accepted',
  );
  expect(sent).toHaveLength(before);
});

test('a nudge that comes while reminders go out is sent at once, and does not wait for the next reminder', async () => {
  const { id } = file(world);
  await world.settle();
  const { stage } = (await world.request(id())) ?? {};
  await world.arrive(new Date(stage?.askedAt ?? 0).getTime() + 3 * DAY);
  while ((await mails(omar, /^Re: rita asks/)) === 0) expect(await world.settle(1)).toBe('stopped');
  world.call('nudgeApprovers', as(rita), { params: { requestId: id() } });
  // before it is written that they were reminded: from then on it would be too soon
  world.schedule.random = () => 0.999;
  await world.settle();
  expect((await world.request(id()))?.stage.nudges).toMatchObject({ asked: 1, sent: 1 });
});

test('a mail that operations send again while reminders go out is sent at once, and does not wait for the next reminder', async () => {
  const { id } = file(world);
  await world.settle();
  const { stage } = (await world.request(id())) ?? {};
  await world.arrive(new Date(stage?.askedAt ?? 0).getTime() + 3 * DAY);
  while ((await mails(omar, /^Re: rita asks/)) === 0) expect(await world.settle(1)).toBe('stopped');
  const mail = `ask_0_0_${omar}`;
  world.call('resendMail', operations, { params: { requestId: id() }, body: { mail, reason: 'He deleted it.' } });
  await world.settle();
  expect((await world.dossier(id()))?.mails.get(mail)).toMatchObject({ status: 'accepted', copy: 1 });
  expect(await mails(omar, /^rita asks/)).toBe(2);
});

test.each([1, 2, 3, 4, 5])(
  'a digest of a second delivery stands for no reminder that the first one sent (order %i)',
  async (order) => {
    const first = file(world);
    await world.pass(world.now() + HOUR);
    const second = file(world, ravi);
    await world.settle();
    const linkId = (await world.dossier(second.id()))?.links.get(omar)?.id ?? '';
    await world.records.desks.remove(omar, second.id());
    const { stage } = (await world.request(first.id())) ?? {};
    world.schedule.random = randomOf(order);
    world.duplicates = true;
    await world.arrive(new Date(stage?.askedAt ?? 0).getTime() + 3 * DAY);
    // the first delivery has put its reminder into the outbox; from here on a digest is due
    const key = `remind_0_0_1_${omar}`;
    while ((await world.dossier(first.id()))?.mails.has(key) !== true) expect(await world.settle(1)).toBe('stopped');
    await world.records.desks.put(omar, { requestId: second.id(), linkId });
    // the second delivery goes on first
    world.schedule.random = () => 0;
    await world.settle(1);
    world.schedule.random = () => 0.999;
    await world.settle();

    const known = [...((await world.dossier(first.id()))?.mails.values() ?? [])].map(({ operationId }) => operationId);
    const lost = (await world.mails()).filter(
      ({ subject, operationId }) => /rita asks/.test(subject) && !known.includes(operationId),
    );
    expect(lost).toEqual([]);
  },
);

test('a decision that comes between the last write of a step and its end is not lost', async () => {
  const { id } = file(world);
  await world.settle();
  const { stage } = (await world.request(id())) ?? {};
  await world.arrive(new Date(stage?.askedAt ?? 0).getTime() + 3 * DAY);
  while ((await world.request(id()))?.stage.reminded !== 1) expect(await world.settle(1)).toBe('stopped');
  // the row is read once more after it was written
  expect(await world.settle(1)).toBe('stopped');
  decide(world, id(), omar);
  // the decision and its wake-up come before the step's result
  world.schedule.random = () => 0.999;
  await world.settle();
  expect((await world.request(id()))?.state).toBe('granted');
});

test('a revocation that comes while it is told that the membership is granted is told as well', async () => {
  const { id } = file(world);
  await world.settle();
  decide(world, id(), omar);
  while ((await mails(rita, /^Approved/)) === 0) expect(await world.settle(1)).toBe('stopped');
  world.call('revokeMembership', operations, { params: { requestId: id() }, body: { reason: 'By mistake.' } });
  // the end is written before the step that tells of the grant is
  world.schedule.random = () => 0.999;
  while ((await world.request(id()))?.state !== 'ended') expect(await world.settle(1)).toBe('stopped');
  expect((await world.request(id()))?.told).toBe(false);
  world.schedule.random = () => 0;
  await world.settle();
  await world.pass(world.now() + HOUR);
  expect(await world.request(id())).toMatchObject({ state: 'ended', told: true, ended: { how: 'revoked' } });
  expect(await mails(rita, /^Revoked/)).toBe(1);
});

test('a membership that somebody else gave while the host was down stays when the request can no longer be granted', async () => {
  const { id } = file(world);
  await world.settle();
  decide(world, id(), omar);
  // the host dies before it has written that it wants the person in
  while ((await world.request(id()))?.state !== 'applying') expect(await world.settle(1)).toBe('stopped');
  world.kill(0);
  world.directory.store.addLink('member', design.id, rita);
  disable(world, rita);
  await world.settle();
  await world.pass(world.now() + HOUR);

  expect((await world.request(id()))?.reason?.rule).toBe('requester-disabled');
  expect(world.isMember(design.id, rita)).toBe(true);
});

// by these orders the one or the other takes it back, or gives it, after the other wrote what was decided
test.each([0, 1, 2, 9, 26, 41])(
  'of two deliveries that apply, one of which finds that nothing may be granted: the membership is as it was decided (order %i)',
  async (order) => {
    const { id } = file(world);
    await world.settle();
    world.schedule.random = randomOf(order);
    world.duplicates = true;
    decide(world, id(), omar);
    while ((await world.request(id()))?.state !== 'applying') expect(await world.settle(1)).toBe('stopped');
    disable(world, rita);
    await world.settle();

    const { state = '' } = (await world.request(id())) ?? {};
    expect({ state, is: world.isMember(design.id, rita) }).toEqual({ state, is: state === 'granted' });
  },
);

test('of two deliveries, the one that could not reach the directory leaves a request that the other brought to its end', async () => {
  const { id } = file(world);
  await world.settle();
  decide(world, id(), omar, { decision: 'deny' });
  await world.settle();
  const services = { records: world.records } as Services;
  const input = { requestId: id(), at: new Date(world.now()).toISOString(), attempt: 0 };
  const stands = await postponed(services, input, 'directory', undefined, 'activity:settle');
  expect(stands).toMatchObject({ state: 'denied', due: null });
  expect(await world.request(id())).toMatchObject({ waitingFor: null, due: null, told: true });
});

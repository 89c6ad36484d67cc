import { MOST_ASKED } from '../../shared/domain/approvers';
import { addDuration } from '../../shared/domain/duration';
import { hasMailbox } from '../../shared/domain/eligibility';
import type { Person } from '../../shared/domain/eligibility';
import { afterwardsIn, endOf, toldPage } from '../../shared/domain/group-life';
import type { GroupLife, LifeStep, Telling } from '../../shared/domain/group-life';
import type { LifetimePolicy, LifetimeStep } from '../../shared/domain/group-lifetime';
import { ownerProblem } from '../../shared/group-changes/create';
import { isBadPage } from '../../shared/group-changes/read';
import { RESTORABLE } from '../../shared/group-lives/status';
import { addressee, mailOf, notYetPut, putMails, sendQueued } from '../../shared/join-requests/outbox';
import type { Message } from '../../shared/mail/layout';
import {
  groupDeletedMessage,
  groupEndingMessage,
  groupExpiredMessage,
  groupRenewedMessage,
} from '../../shared/mail/lifetime-messages';
import type { Afterwards, LifeFacts, Told } from '../../shared/mail/lifetime-messages';
import type { Mail } from '../../shared/records/mail-rows';
import type { Services } from '../../shared/services';
import type { AtLife } from './attend-life';
import { LeftToOperations } from './left-to-operations';

/** Of members, and of those who were told before, so many are told in one step. */
const PAGE = 40;

/** Whom a mail goes to, and in which capacity. */
interface Reader {
  to: Mail['to'];
  as: Told;
}
type Composed = Reader & { key: string };

/** Those at the fallback address, as a reader of mails. */
const CARETAKERS = 'fallback';

const factsOf = ({ group, kind }: GroupLife): LifeFacts => ({ groupId: group.id, groupName: group.name, kind });

const isUsable = (person: Person): person is Person & { mail: string } =>
  ownerProblem(person, '') === undefined && hasMailbox(person);

const ownersAmong = (people: readonly Person[]): Reader[] =>
  people
    .filter(isUsable)
    .slice(0, MOST_ASKED)
    .map((person) => ({ to: addressee(person), as: 'owner' }));

const caretakers = ({ fallbackAddress }: AtLife): Reader[] =>
  fallbackAddress === undefined
    ? []
    : [{ to: { id: CARETAKERS, name: 'Groups without owners', address: fallbackAddress }, as: 'caretaker' }];

const linkOf = ({ config }: Services, { group }: GroupLife): string =>
  `${config.PUBLIC_BASE_URL}/api/group-renewals/${group.id}`;

const afterwardsOf = ({ afterwards, grace }: LifetimePolicy, from: Date): Afterwards => ({
  how: afterwards,
  on: addDuration(from, grace),
});

/**
 * Puts the mails into the outbox, sends them as far as there is room, and writes down what became of each. One that went out before stays as
 * it is; what stands there unsent is written anew, so that it says what is true when it goes.
 * @returns the mails as they stand
 * @throws {MailUnavailable} where not all could be sent
 */
async function deliver(
  services: Services,
  { stored, at }: AtLife,
  composed: readonly Composed[],
  message: (to: Composed) => Message,
): Promise<Mail[]> {
  const { lives } = services.records;
  const { id } = stored.life.group;
  const keys = composed.map(({ key }) => key);
  const known = await lives.mails(id, keys);
  const queued = composed
    .filter(({ key }) => (known.get(key)?.status ?? 'queued') === 'queued')
    .map((each) => mailOf(id, each.key, each.to, message(each), known.get(each.key)));
  await putMails(services, id, queued);
  await lives.saveMails(id, queued);
  const sent = await sendQueued(services, id, queued, notYetPut({ mails: known }, queued), at);
  // a report that one did not arrive may have come before this is written: it stands
  const lost = await lives.mails(
    id,
    sent.mails.map(({ key }) => key),
  );
  const settled = sent.mails.filter(({ key }) => lost.get(key)?.status !== 'undelivered');
  await lives.saveMails(id, settled);
  if (sent.unavailable !== undefined) throw sent.unavailable;
  const all = new Map([...known, ...lost, ...settled.map((mail) => [mail.key, mail] as const)]);
  return keys.flatMap((key) => all.get(key) ?? []);
}

const wasAccepted = ({ status }: Mail): boolean => status === 'accepted';

/**
 * Warns the owners whom mail reaches; where there is none, or the mail service refuses all of them, those at the fallback address.
 * @returns the ids of those who were
 * @throws {LeftToOperations} where nobody can be: a group is not lost unwarned
 */
export async function warnOwners(
  services: Services,
  now: AtLife,
  rules: LifetimePolicy,
  { warning, expiresAt: expires }: Extract<LifetimeStep, { kind: 'warn' }>,
): Promise<string[]> {
  const { life } = now.stored;
  const owners = ownersAmong(await services.directory.owners(life.group.id));
  for (const readers of [owners, caretakers(now)]) {
    const mails = await deliver(
      services,
      now,
      readers.map((reader) => ({ ...reader, key: `warn_${String(life.term)}_${String(warning)}_${reader.to.id}` })),
      ({ to, as }) =>
        groupEndingMessage({
          facts: factsOf(life),
          recipient: to.name,
          as: as === 'caretaker' ? as : 'owner',
          expires,
          afterwards: afterwardsOf(rules, expires),
          link: linkOf(services, life),
        }),
    );
    const people = mails.filter(wasAccepted).map(({ to }) => to.id);
    if (people.length > 0) return people;
  }
  throw new LeftToOperations(nobodyToWarn);
}

const nobodyToWarn = {
  rule: 'nobody-to-warn',
  sentence:
    'The group is about to expire, mail reaches none of its owners, and the creation policy has no fallbackAddress that it reaches. Give the group an owner, or the policy an address, and try again.',
};

/** Tells a page of those concerned. */
export async function tellOfLife(services: Services, now: AtLife, telling: Telling): Promise<LifeStep> {
  const { stored, rules, at } = now;
  switch (telling.what) {
    case 'expired':
      return toldPage(stored.life, await tellExpired(services, now, telling.after), rules, at);
    case 'renewed':
      return toldPage(stored.life, await tellRenewed(services, now, telling), rules, at);
    case 'deleted':
      await tellDeleted(services, now);
      return toldPage(stored.life, undefined, rules, at);
  }
}

/** Owners, or those at the fallback address, with the first page of members. @returns the page that comes next */
async function tellExpired(services: Services, now: AtLife, from: string | undefined): Promise<string | undefined> {
  const { directory } = services;
  const { life } = now.stored;
  const { rules } = now;
  const after = afterwardsIn(life, rules);
  // it lives for ever now, or there is nothing left to say
  if (after === undefined || life.life.expiredAt === undefined) return undefined;
  const [owners, page] = await Promise.all([
    directory.owners(life.group.id),
    membersFrom(services, life.group.id, from),
  ]);
  const asOwners = ownersAmong(owners);
  const first = from !== undefined ? [] : asOwners.length > 0 ? asOwners : caretakers(now);
  const members = page.items.filter(
    (person) => person.accountEnabled && hasMailbox(person) && !asOwners.some(({ to }) => to.id === person.id),
  );
  const readers: Reader[] = [
    ...first,
    ...members.filter(hasMailbox).map((person): Reader => ({ to: addressee(person), as: 'member' })),
  ];
  const expired = new Date(life.life.expiredAt);
  await deliver(
    services,
    now,
    readers.map((reader) => ({ ...reader, key: `expired_${String(life.term)}_${reader.to.id}` })),
    ({ to, as }) =>
      groupExpiredMessage({
        facts: factsOf(life),
        recipient: to.name,
        as,
        expired,
        afterwards: { how: after.how, on: new Date(after.at) },
        ...(as !== 'member' && { link: linkOf(services, life) }),
      }),
  );
  return page.next;
}

/** A page of members; the first one where the directory does not know the page any more: whoever was told is not told again. */
async function membersFrom({ directory }: Services, groupId: string, after: string | undefined) {
  try {
    return await directory.membersPage(groupId, { size: PAGE, ...(after !== undefined && { after }) });
  } catch (error) {
    if (!isBadPage(error, after)) throw error;
    return directory.membersPage(groupId, { size: PAGE });
  }
}

/** The owners that the group has now, and whoever was told that it had expired, or would. @returns the page that comes next */
async function tellRenewed(services: Services, now: AtLife, { after, of }: Telling): Promise<string | undefined> {
  const { directory, records } = services;
  const { life } = now.stored;
  const ended = of ?? life.term - 1;
  const before = `expired_${String(ended)}_`;
  const [owners, warned, page] = await Promise.all([
    after === undefined ? directory.owners(life.group.id) : [],
    after === undefined ? warnedCaretakers(services, life.group.id, ended) : [],
    records.lives.mailsPage(life.group.id, before, { size: PAGE, ...(after !== undefined && { after }) }),
  ]);
  const asOwners = ownersAmong(owners);
  const told = page.mails
    .filter((mail) => wasAccepted(mail) && !asOwners.some(({ to }) => to.id === mail.to.id))
    .map(({ to }): Reader => ({ to, as: to.id === CARETAKERS ? 'caretaker' : 'member' }));
  const expires = endOf(life, now.rules);
  const { renewedBy } = life;
  await deliver(
    services,
    now,
    [...asOwners, ...told, ...warned.filter(({ to }) => !told.some((other) => other.to.id === to.id))]
      // whoever renewed it saw it happen
      .filter(({ to }) => to.id !== renewedBy?.id)
      .map((reader) => ({ ...reader, key: `renewed_${String(ended + 1)}_${reader.to.id}` })),
    ({ to, as }) =>
      groupRenewedMessage({
        facts: factsOf(life),
        recipient: to.name,
        as,
        ...(renewedBy !== undefined && { by: renewedBy.name }),
        ...(expires !== undefined && { expires }),
      }),
  );
  return page.next;
}

/** Those at the fallback address, where they were warned that the group would expire. */
async function warnedCaretakers({ records }: Services, groupId: string, term: number): Promise<Reader[]> {
  const mails = await records.lives.warnings(groupId, term);
  return mails
    .filter((mail) => wasAccepted(mail) && mail.to.id === CARETAKERS)
    .slice(0, 1)
    .map(({ to }): Reader => ({ to, as: 'caretaker' }));
}

/** Who owned the group when it was deleted, or those at the fallback address. */
async function tellDeleted(services: Services, now: AtLife): Promise<void> {
  const { life } = now.stored;
  const { closed, expiredAt } = life.life;
  if (closed === undefined || expiredAt === undefined) return;
  const owners = await Promise.all((life.ownersThen ?? []).map((id) => services.directory.person(id)));
  const asOwners = ownersAmong(owners.filter((person) => person !== undefined));
  const deleted = new Date(closed.at);
  await deliver(
    services,
    now,
    (asOwners.length > 0 ? asOwners : caretakers(now)).map((reader) => ({
      ...reader,
      key: `deleted_${String(life.term)}_${reader.to.id}`,
    })),
    ({ to, as }) =>
      groupDeletedMessage({
        facts: factsOf(life),
        recipient: to.name,
        as: as === 'caretaker' ? as : 'owner',
        deleted,
        restorable: addDuration(deleted, RESTORABLE),
      }),
  );
}

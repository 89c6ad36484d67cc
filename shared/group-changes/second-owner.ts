import type { Approver } from '../domain/approvers';
import { eligibleApprovers } from '../domain/approvers';
import type { Group } from '../domain/eligibility';
import { isAskedWith, isInCare, letterWithdrawn, ownerMayBeAsked, ownerUnreachable } from '../domain/ownerless';
import type { Care, Letter } from '../domain/ownerless';
import { refuseGroup } from '../join-requests/eligibility';
import { wentOut } from '../join-requests/outbox';
import { inParallel } from '../parallel';
import { policyInForce } from '../policies/in-force';
import { changeStored } from '../records/dossiers';
import type { Via } from '../records/dossiers';
import type { Mail } from '../records/mail-rows';
import type { CareDossier } from '../records/ownerless';
import type { Records } from '../records/records';
import { Conflict } from '../records/tables';
import type { Services } from '../services';

/** So many groups one mail names besides the one that it is about; the others get a mail of their own. */
const MOST_TOGETHER = 50;
const PARALLEL = 8;
/** For so long after one mail to an owner no other one is begun: other groups of theirs may be named in it. */
const WRITING_MS = 120_000;

const SLOT = 'letter';
const scopeOf = (ownerId: string): string => `letters_${ownerId}`;

/**
 * Takes the pen for the mail to an only owner: groups of one owner that are found in one night are named in one mail.
 * @returns until when another care for a group of theirs has it
 */
export async function takePen(
  { records: { claims } }: Services,
  ownerId: string,
  careId: string,
  at: Date,
): Promise<Date | undefined> {
  const scope = scopeOf(ownerId);
  const claim = await claims.read(scope, SLOT);
  const until = new Date(new Date(claim?.claimedAt ?? 0).getTime() + WRITING_MS);
  if (claim !== undefined && claim.requestId !== careId && until > at) return until;
  try {
    if (claim === undefined) await claims.take(scope, SLOT, careId, at);
    else await claims.takeOver(scope, SLOT, careId, at, claim);
    return undefined;
  } catch (error) {
    if (error instanceof Conflict) return new Date(at.getTime() + WRITING_MS);
    throw error;
  }
}

/**
 * The other groups in care of which this person is the only owner who can decide, and may be asked now, or that an attempt before named in
 * this very mail.
 */
export async function othersOf(services: Services, owner: Approver, by: Letter, at: Date): Promise<Group[]> {
  const { directory, records } = services;
  const others: Group[] = [];
  for (let after: string | undefined; ;) {
    const page = await directory.ownedBy(owner.id, { size: 100, ...(after !== undefined && { after }) });
    await inParallel(PARALLEL, page.items, async (group) => {
      const care = group.id === by.care ? undefined : (await records.cares.read(group.id))?.request;
      if (care !== undefined && isAskedWith(care, by)) others.push(group);
      else if (care === undefined || !waitsForOwner(care, at)) return;
      else if ((await isCaredFor(services, group)) && (await isOnlyOwner(services, owner, group.id)))
        others.push(group);
    });
    after = page.next;
    if (after === undefined || others.length >= MOST_TOGETHER) return others.slice(0, MOST_TOGETHER);
  }
}

/** The mail about an only owner's groups did not arrive: so nobody was asked about those that it names besides its own. */
export async function othersNotReached(
  { cares }: Records,
  together: readonly string[],
  via: Via,
  at: Date,
): Promise<void> {
  for (const id of together) await changeStored(cares, id, via, (care) => ownerUnreachable(care, at));
}

/**
 * A mail that was not sent yet, because the mail service was down, and is to go to somebody who is the only owner no more: it is not sent,
 * and the groups that it names as well are looked at anew.
 * @param owner the only owner now; `undefined` where there is none
 * @returns whether there was such a mail: what is known of the care must be read again
 */
export async function withdrawLetter(
  services: Services,
  dossier: CareDossier,
  owner: string | undefined,
  via: Via,
  at: Date,
): Promise<boolean> {
  const { cares } = services.records;
  const { stored, mails } = dossier;
  const care = stored.request;
  const by = { care: care.id, letter: care.letters };
  const unsent = [...mails.values()].find(
    ({ key, status, to }) => status === 'queued' && key === letterKey(care, to.id) && to.id !== owner,
  );
  if (unsent === undefined) return false;
  const { content: _content, ...mail } = unsent;
  const others = [...mails.keys()].filter((key) => key !== unsent.key);
  const [out] = await wentOut(services, dossier, new Set(others));
  if (out === undefined)
    for (const id of care.together ?? []) await changeStored(cares, id, via, (now) => letterWithdrawn(now, by, at));
  const change = (out === undefined ? letterWithdrawn(care, by, at) : undefined) ?? { request: care, entries: [] };
  const settled: Mail = out ?? { ...mail, status: 'refused', refusal: 'It was not needed any more.' };
  await cares.write(stored, change, { ...via, mails: [settled] });
  return true;
}

/** The key of the latest mail to the only owner. */
export const letterKey = ({ letters }: Care, ownerId: string): string => `second_${String(letters)}_${ownerId}`;

/** Whether the owners of a group are Gatehouse's to look for: it can be changed here, and its policy does not say otherwise. */
export async function isCaredFor(services: Services, group: Group): Promise<boolean> {
  const [{ policy }, isNamedByPolicy] = await Promise.all([
    policyInForce(services, group.id),
    services.records.policies.isNamed(group.id),
  ]);
  return policy.ownerCare && (await refuseGroup(services, { group, policy, isNamedByPolicy })) === undefined;
}

async function isOnlyOwner({ directory }: Services, owner: Approver, groupId: string): Promise<boolean> {
  const usable = eligibleApprovers(await directory.owners(groupId), '');
  return usable.length === 1 && usable[0]?.id === owner.id;
}

/** Also one whose own step is due in a moment, because it waits for the pen. */
const waitsForOwner = (care: Care, at: Date): boolean =>
  isInCare(care) &&
  (care.state === 'found' || care.state === 'one-owner' || care.why?.rule === 'owner-unreachable') &&
  ownerMayBeAsked(care) <= at;

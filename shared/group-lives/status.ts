import { z } from 'zod';

import { addDuration } from '../domain/duration';
import { endOf, afterwardsIn, isExpired, isOver } from '../domain/group-life';
import type { GroupLife } from '../domain/group-life';
import type { LifetimePolicy } from '../domain/group-lifetime';
import { time } from '../dossier-status';

/** Deleted groups can be restored for so long (Microsoft Graph, "Delete group"). */
export const RESTORABLE = 'P30D';

export const lifetimeSchema = z.object({
  state: z
    .enum(['lives', 'expired', 'kept', 'deleted', 'gone'])
    .describe(
      '`expired`: it takes no new members; `kept`: neither, and nothing more comes after; `gone`: somebody deleted it in Microsoft Entra ID.',
    ),
  from: time.describe('Its creation or last renewal.'),
  expiresAt: time.optional().describe('Absent where it lives for ever, or has expired.'),
  warnedAt: time.optional().describe('When its owners were last warned.'),
  expiredAt: time.optional(),
  afterwards: z.enum(['delete', 'keep']).optional().describe('What becomes of it once it has expired.'),
  afterwardsAt: time.optional().describe('When that is done.'),
  deletedAt: time.optional(),
  restorableUntil: time.optional().describe('By an administrator, in Microsoft Entra ID.'),
  renewable: z.boolean().describe('Whether the caller may renew it now.'),
});
export type LifetimeStatus = z.output<typeof lifetimeSchema>;

function stateOf({ life, isGone }: GroupLife): LifetimeStatus['state'] {
  if (isGone === true) return 'gone';
  if (life.closed !== undefined) return life.closed.how;
  return life.expiredAt === undefined ? 'lives' : 'expired';
}

/** The life as it stands under these rules. `mayRenew`: the caller is one of those who may. */
export function lifetimeStatus(life: GroupLife, rules: LifetimePolicy | undefined, mayRenew: boolean): LifetimeStatus {
  const { from, warnedAt, expiredAt, closed } = life.life;
  const ends = endOf(life, rules);
  const after = afterwardsIn(life, rules);
  const deletedAt = closed?.how === 'deleted' ? closed.at : undefined;
  const goesOn = rules !== undefined && !isOver(life) && closed === undefined;
  return {
    state: stateOf(life),
    from,
    ...(ends !== undefined && { expiresAt: ends.toISOString() }),
    ...(warnedAt !== undefined && { warnedAt }),
    ...(expiredAt !== undefined && { expiredAt }),
    ...(goesOn && { afterwards: after?.how ?? rules.afterwards }),
    ...(after !== undefined && { afterwardsAt: after.at }),
    ...(deletedAt !== undefined && {
      deletedAt,
      restorableUntil: addDuration(new Date(deletedAt), RESTORABLE).toISOString(),
    }),
    renewable: mayRenew && (rules !== undefined || isExpired(life)) && life.deleting !== true,
  };
}

import { dayOf, nextDay } from '../shared/domain/audit-chain';
import type { Seal } from '../shared/domain/audit-chain';
import { isSealable, SEAL_START } from '../shared/audit/copy';
import type { Copied, Listed } from '../shared/audit/copy';
import { inParallel } from '../shared/parallel';
import type { CopyPointer } from '../shared/records/audit';
import type { Services } from '../shared/services';

// Copying and sealing are steps of their own that may be repeated at any time: a timer each, no orchestration. What a run leaves undone,
// because it crashed or the account did not answer, the next one finds.

/** A pointer whose entries never came is removed after this long: until then its writer may be between two writes. */
const STALE_MS = 600_000;
/** What one run takes on; the next one comes in a minute. */
const MOST = 2_000;
const PARALLEL = 8;

export interface Copying {
  /** Entries that were copied. */
  copied: number;
  /** Pointers that still wait for their entries. */
  waiting: number;
  /** Pointers whose entries never came, because their writer lost a race or crashed. */
  dropped: number;
  /** Entries that stand in the copy already, and differently. */
  differing: number;
  /** Chains that could not be copied this time. */
  failed: number;
}

/** Copies what was written since the last time. @param now reads the clock: a run may go on past midnight. */
export async function copyTrails(
  { records, audit }: Pick<Services, 'records' | 'audit'>,
  now: () => Date,
  warn: (message: string) => void,
): Promise<Copying> {
  const result: Copying = { copied: 0, waiting: 0, dropped: 0, differing: 0, failed: 0 };
  const chains = [...Map.groupBy(await records.uncopied.waiting(MOST), ({ chain }) => chain)];
  const listed: Listed[] = [];
  const done: CopyPointer[] = [];

  const copy = async (chain: string, pointers: readonly (CopyPointer & { since: Date })[]): Promise<void> => {
    const first = Math.min(...pointers.map((each) => each.first));
    const last = Math.max(...pointers.map((each) => each.last));
    const entries = await records.trails.read(chain, first, last);
    const present = new Set(entries.map(({ seq }) => seq));
    const { groupId, personId } = pointers[0] ?? {};
    const copies = entries.map((entry): Copied => ({
      chain,
      ...(groupId !== undefined && { groupId }),
      ...(personId !== undefined && { personId }),
      entry,
    }));
    const added = await audit.add(copies, now(), ({ entry }) => {
      result.differing += 1;
      warn(`the audit copy of ${chain} holds another entry ${String(entry.seq)}: run audit:verify`);
    });
    listed.push(...added);
    result.copied += added.length;
    for (const pointer of pointers) {
      if (present.has(pointer.last)) done.push(pointer);
      else if (now().getTime() - pointer.since.getTime() < STALE_MS) result.waiting += 1;
      else {
        done.push(pointer);
        result.dropped += 1;
      }
    }
  };
  await inParallel(PARALLEL, chains, async ([chain, pointers]) => {
    try {
      await copy(chain, pointers);
    } catch (error) {
      result.failed += 1;
      warn(`the trail ${chain} could not be copied: ${String(error)}`);
    }
  });
  // in this order: a crash in between leaves the pointers, and the next run does it again
  await audit.list(listed);
  await records.uncopied.done(done);
  return result;
}

/** Seals every day that is over and not sealed yet, in order. */
export async function sealDays({ audit }: Pick<Services, 'audit'>, at: Date): Promise<Seal[]> {
  const last = (await audit.seals()).at(-1);
  let day = last === undefined ? await audit.firstDay() : nextDay(last.day);
  let previousHash = last?.hash ?? SEAL_START;
  const sealed: Seal[] = [];
  for (; day !== undefined && day < dayOf(at) && isSealable(day, at); day = nextDay(day)) {
    const seal = await audit.seal(day, previousHash);
    previousHash = seal.hash;
    sealed.push(seal);
  }
  return sealed;
}

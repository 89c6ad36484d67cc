import { Conflict, retryOnConflict } from './tables';
import type { NewRow, Row, Table } from './tables';

/** What a mail is for: where there is room for few only, the more urgent go first. */
export type MailPriority = 'ask' | 'outcome' | 'reminder' | 'digest';

/** Of the quota of a minute or an hour, mails of this kind may use so much: the rest is kept for more urgent ones. */
const SHARE: Record<MailPriority, number> = { ask: 1, outcome: 0.85, reminder: 0.7, digest: 0.6 };

export interface MailLimits {
  perMinute: number;
  perHour: number;
}

export interface MailQuota {
  /**
   * Takes room for so many mails out of this minute's and this hour's quota, shared by all instances of the app.
   * Mails of a request count for whoever filed it (`filer`): one of them alone can't use up what mails of this kind may.
   * @returns how many may be sent now, and for the rest the milliseconds until there may be room again.
   */
  take(priority: MailPriority, count: number, at: Date, filer?: string): Promise<{ granted: number; waitMs: number }>;
  /** How much of this minute's and this hour's quota is used. */
  used(at: Date): Promise<{ minute: QuotaUse; hour: QuotaUse }>;
}
export interface QuotaUse {
  used: number;
  of: number;
}

const WINDOWS = [
  { name: 'minute', length: 60_000 },
  { name: 'hour', length: 3_600_000 },
] as const;
/** Of the mails that other filers left of a minute and of an hour, requests of one filer may use so much: there is room for the next one. */
const FILER_SHARE = 0.7;
/** What so many filers used is remembered; of more than that none is a flood. */
const FILERS = 200;

/** A window that begins so much later than one's own is of a clock that is wrong. */
const AHEAD_MS = 3_600_000;

/** The window in which mail is counted now: that of `at`, or a later one in which others, whose step began later, count already. */
function windowAt(
  row: Row | undefined,
  { name, length }: (typeof WINDOWS)[number],
  at: Date,
): { window: string; end: number; used: number } {
  const own = Math.floor(at.getTime() / length) * length;
  const kept = row === undefined ? NaN : Date.parse(String(row[name]));
  const start = kept > own && kept <= own + AHEAD_MS ? kept : own;
  const window = new Date(start).toISOString();
  return { window, end: start + length, used: row?.[name] === window ? Number(row[`${name}Used`]) : 0 };
}

/** How many mails each filer used in this window. */
function filedBy(row: Row | undefined, { name, window }: { name: string; window: string }): Record<string, number> {
  const kept = row?.[`${name}Filed`];
  if (row?.[name] !== window || typeof kept !== 'string') return {};
  const entries = Object.entries(JSON.parse(kept) as Record<string, number>);
  return Object.fromEntries(entries.toSorted(([, a], [, b]) => b - a).slice(0, FILERS));
}

/** How many more a filer may use of so many. */
function fairRoom(limit: number, filed: Readonly<Record<string, number>>, filer: string): number {
  const own = filed[filer] ?? 0;
  const others = Object.values(filed).reduce((sum, used) => sum + used, 0) - own;
  return Math.max(1, Math.floor((limit - others) * FILER_SHARE)) - own;
}

const KEY = { partitionKey: 'mail', rowKey: 'used' };

/** Both counters stand in one row, changed under its ETag. What was taken and not used is lost, which errs on the side of the quota. */
export function mailQuota(table: Table, { perMinute, perHour }: MailLimits): MailQuota {
  const limits = { minute: perMinute, hour: perHour };
  const take: MailQuota['take'] = (priority, count, at, filer) =>
    retryOnConflict(async () => {
      const row = await table.get(KEY.partitionKey, KEY.rowKey);
      const now = WINDOWS.map((each) => {
        const { name } = each;
        const { window, end, used } = windowAt(row, each, at);
        const most = Math.max(1, Math.floor(limits[name] * SHARE[priority]));
        const filed = filedBy(row, { name, window });
        const fair = filer === undefined ? Infinity : fairRoom(most, filed, filer);
        return { name, window, used, filed, room: Math.max(0, Math.min(most - used, fair)), end };
      });
      const granted = Math.min(count, ...now.map(({ room }) => room));
      const waitMs = Math.max(0, ...now.map(({ room, end }) => (room < count ? end - at.getTime() : 0)));
      if (granted === 0) return { granted, waitMs };
      const next: NewRow = { ...KEY };
      for (const { name, window, used, filed } of now) {
        if (filer !== undefined) filed[filer] = (filed[filer] ?? 0) + granted;
        next[name] = window;
        next[`${name}Used`] = used + granted;
        next[`${name}Filed`] = JSON.stringify(filed);
      }
      if (row === undefined) await table.create(next);
      else await table.replace(next, row.etag);
      return { granted, waitMs };
    }, 20);

  return {
    used: async (at) => {
      const row = await table.get(KEY.partitionKey, KEY.rowKey);
      const use = (each: (typeof WINDOWS)[number]): QuotaUse => ({
        used: windowAt(row, each, at).used,
        of: limits[each.name],
      });
      return { minute: use(WINDOWS[0]), hour: use(WINDOWS[1]) };
    },
    take: async (priority, count, at, filer) => {
      try {
        return await take(priority, count, at, filer);
      } catch (error) {
        // too many take at once: there is room, but not at this moment
        if (error instanceof Conflict) return { granted: 0, waitMs: 1_000 };
        throw error;
      }
    },
  };
}

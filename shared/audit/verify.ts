import { odata } from '@azure/data-tables';

import { dayOf, factsOf, firstBreak, headsOf, nextDay, sealOf } from '../domain/audit-chain';
import type { AuditEntry, Facts, Head, Seal } from '../domain/audit-chain';
import { HEAD, isInRequests } from '../records/audit';
import { changeKind } from '../records/group-changes';
import { careKind } from '../records/ownerless';
import { joinRequestKind } from '../records/join-requests';
import type { DossierKind } from '../records/dossiers';
import type { Row, Table } from '../records/tables';
import { CHAIN_START, chainHash, digest, ENTRY_PREFIX, entryKey, parseEntry } from '../records/trail';
import { dayKey, dayPartition, DAYS, isSealable, LATE, parseCopy, parseDayRow, parseSeal, SEALS } from './copy';
import type { Copied } from './copy';

/** The tables that are checked: they are read, and nothing is written. */
export interface AuditedTables {
  requests: Table;
  policies: Table;
  uncopied: Table;
  audit: Table;
}

/** Something that is not as it was written. */
export interface Finding {
  /** `requests r_…/ev_000003`: table, partition and row. */
  row: string;
  why: string;
}

export interface Verification {
  /** In the order of the tables' keys: trails, then the copy, then the days, then the seals. */
  findings: Finding[];
  chains: number;
  entries: number;
  copied: number;
  /** Entries that wait to be copied. */
  waiting: number;
  seals: number;
  /** The last seal: to be compared with one that was written down elsewhere. */
  lastSeal?: Seal;
}

/** A request's state row, or the head row of another chain. */
interface Kept {
  seq: number;
  hash: string;
  facts?: Facts;
  groupId?: string;
  personId?: string;
}

interface Chain {
  name: string;
  entries: AuditEntry[];
  head: Kept | undefined;
}

const ENTRIES_END = 'ev`';

/** Rows of one partition after the other; tables give them in the order of their keys. */
async function* partitions(table: Table, filter: string): AsyncGenerator<[string, Row[]]> {
  let name: string | undefined;
  let rows: Row[] = [];
  for await (const row of table.list(filter)) {
    if (row.partitionKey !== name) {
      if (name !== undefined) yield [name, rows];
      name = row.partitionKey ?? '';
      rows = [];
    }
    rows.push(row);
  }
  if (name !== undefined) yield [name, rows];
}

const isEntry = ({ rowKey = '' }: Row): boolean => rowKey.startsWith(ENTRY_PREFIX);

const keptBy =
  <Request>({ parse, facts, about }: Pick<DossierKind<Request>, 'parse' | 'facts' | 'about'>) =>
  (row: Row): Pick<Kept, 'facts' | 'groupId' | 'personId'> => {
    const request = parse(row);
    return { facts: facts(request), ...about(request) };
  };
const keptOfRequest = keptBy(joinRequestKind);
const keptOfChange = keptBy(changeKind);
const keptOfCare = keptBy(careKind);

function keptOf(row: Row): Kept {
  const kept = { seq: Number(row['seq']), hash: String(row['head']) };
  const { partitionKey = '' } = row;
  if (row.rowKey === HEAD) return { ...kept, ...(partitionKey.startsWith('g_') && { groupId: partitionKey.slice(2) }) };
  const keptOf = partitionKey.startsWith('c_')
    ? keptOfChange
    : partitionKey.startsWith('o_')
      ? keptOfCare
      : keptOfRequest;
  return { ...kept, ...keptOf(row) };
}

async function* chainsOf(table: Table, headKey: string): AsyncGenerator<Chain> {
  const filter = odata`(RowKey ge ${ENTRY_PREFIX} and RowKey lt ${ENTRIES_END}) or RowKey eq ${headKey}`;
  for await (const [name, rows] of partitions(table, filter)) {
    const head = rows.find(({ rowKey }) => rowKey === headKey);
    yield { name, entries: rows.filter(isEntry).map((row) => parseEntry(row)), head: head && keptOf(head) };
  }
}

/** Whether two records of facts say the same, in whatever order. */
const sameFacts = (one: Facts, other: Facts): boolean =>
  JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());

function brokenIn(table: string, { name, entries, head }: Chain, stateKey: string): Finding | undefined {
  const broken = firstBreak(name, entries, head, digest);
  if (broken !== undefined) return { row: `${table} ${name}/${entryKey(broken.seq)}`, why: broken.why };
  const said = factsOf(entries);
  if (head?.facts === undefined || said === undefined || sameFacts(head.facts, said)) return undefined;
  return {
    row: `${table} ${name}/${stateKey}`,
    why: `it says ${JSON.stringify(head.facts)}, and its trail ${JSON.stringify(said)}`,
  };
}

async function waitingOf(table: Table): Promise<Set<string>> {
  const waiting = new Set<string>();
  for await (const row of table.list(odata`PartitionKey eq ${'uncopied'}`))
    for (let seq = Number(row['first']); seq <= Number(row['last']); seq += 1)
      waiting.add(`${String(row['chain'])}/${entryKey(seq)}`);
  return waiting;
}

interface Copies {
  byChain: Map<string, Copied[]>;
  days: Map<string, (Copied & { key: string })[]>;
  seals: Seal[];
}

/** The whole copy, in memory: some 500 bytes for each entry. */
async function readCopies(table: Table): Promise<Copies> {
  const copies: Copies = { byChain: new Map(), days: new Map(), seals: [] };
  for await (const [name, rows] of partitions(table, odata`PartitionKey ne ${LATE}`)) {
    if (name === SEALS) copies.seals = rows.map(parseSeal);
    else if (name.startsWith(DAYS)) copies.days.set(name.slice(DAYS.length), rows.map(parseDayRow));
    else
      copies.byChain.set(
        name,
        rows.filter(isEntry).map((row) => parseCopy(row, name)),
      );
  }
  return copies;
}

/** The first entry of which the copy is missing, changed or about something else; an entry that waits to be copied may be missing. */
async function brokenCopy(
  { name, entries, head }: Chain,
  copies: readonly Copied[],
  mayBeMissing: (entry: AuditEntry) => Promise<boolean>,
): Promise<Finding | undefined> {
  const bySeq = new Map(copies.map((copy) => [copy.entry.seq, copy]));
  for (const entry of entries) {
    const { seq, hash } = entry;
    const copy = bySeq.get(seq);
    const row = `audit ${name}/${entryKey(seq)}`;
    if (copy === undefined) {
      if (await mayBeMissing(entry)) continue;
      return { row, why: 'the copy of this entry is missing' };
    }
    if (copy.entry.hash !== hash) return { row, why: 'it is not a copy of what stands in the trail' };
    if (!isIntact(copy)) return { row, why: 'its content is not what its hash was made of' };
    if (head !== undefined && (copy.groupId !== head.groupId || copy.personId !== head.personId))
      return { row, why: 'it names another group or person than its trail does' };
    bySeq.delete(seq);
  }
  const [extra] = bySeq.keys();
  return extra === undefined
    ? undefined
    : { row: `audit ${name}/${entryKey(extra)}`, why: 'there is no such entry in the trail' };
}

/** Its hash is that of its content. Whether it follows from the entry before shows in its chain. */
const isIntact = ({ chain, entry }: Copied): boolean => entry.hash === chainHash(chain, entry);

/** The first entry in a day's partition that is not a copy of the one in its chain's. */
function brokenDay(
  day: string,
  listed: readonly (Copied & { key: string })[],
  byKey: ReadonlyMap<string, string>,
): Finding | undefined {
  for (const copy of listed) {
    const row = `audit ${DAYS}${day}/${copy.key}`;
    if (!isIntact(copy)) return { row, why: 'its content is not what its hash was made of' };
    if (byKey.get(keyOf(copy)) !== subjectOf(copy))
      return { row, why: 'there is no such entry in the copy of its chain, or a different one' };
  }
  return undefined;
}

const keyOf = ({ chain, entry }: Copied): string => `${chain}/${entryKey(entry.seq)}`;
const subjectOf = ({ entry, groupId, personId }: Copied): string => `${entry.hash} ${groupId ?? ''} ${personId ?? ''}`;

/** The first day whose seal is missing, or is not what the day's entries and the seal before make. */
function brokenSeal({ seals, days }: Copies, at: Date): Finding | undefined {
  const [firstDay] = [...days.keys(), ...seals.map(({ day }) => day)].sort();
  const byDay = new Map(seals.map((seal) => [seal.day, seal]));
  let previousHash = CHAIN_START;
  for (let day = firstDay; day !== undefined && (byDay.size > 0 || mustBeSealed(day, at)); day = nextDay(day)) {
    const seal = byDay.get(day);
    const row = `audit ${SEALS}/${day}`;
    byDay.delete(day);
    if (seal === undefined) return { row, why: 'the seal of this day is missing' };
    const links = (days.get(day) ?? []).map(({ chain, entry }): Head => ({ chain, seq: entry.seq, hash: entry.hash }));
    const right = sealOf(day, links, previousHash, digest);
    if (seal.previousHash !== previousHash) return { row, why: 'it does not follow from the seal of the day before' };
    if (seal.root !== right.root)
      return {
        row,
        why: `it was made of ${String(seal.chains)} chains; what the day holds now (${String(headsOf(links).length)}) is not that`,
      };
    if (seal.hash !== right.hash) return { row, why: 'its content is not what its hash was made of' };
    previousHash = seal.hash;
  }
  return undefined;
}

function otherSeal({ seals }: Copies, expected: Pick<Seal, 'day' | 'hash'> | undefined): Finding | undefined {
  if (expected === undefined || seals.some(({ day, hash }) => day === expected.day && hash === expected.hash))
    return undefined;
  return { row: `audit ${SEALS}/${expected.day}`, why: 'it is not the seal that was written down elsewhere' };
}

/** Copies are made each minute: what was written so long ago does not wait, whoever says so. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/** The hour in which a day is sealed may fail once. */
const SEAL_GRACE_MS = 2 * 3_600_000;
const mustBeSealed = (day: string, at: Date): boolean =>
  day < dayOf(at) && isSealable(day, new Date(at.getTime() - SEAL_GRACE_MS));

/**
 * Checks every trail against its own chain, against the row that names its head and against the copy; the copy's days; and every seal.
 * Entries that are written meanwhile count as waiting, and so do those of the last day that are not copied yet.
 * @param expected a seal that was written down elsewhere
 */
export async function verifyAudit(
  tables: AuditedTables,
  expected: Pick<Seal, 'day' | 'hash'> | undefined,
  at: Date,
): Promise<Verification> {
  // The copy first: what it holds then stands in the trails, which are read after it. What was copied after it was read is looked up.
  const copies = await readCopies(tables.audit);
  const chains: { table: string; chain: Chain; state: string }[] = [];
  for await (const chain of chainsOf(tables.policies, HEAD)) chains.push({ table: 'policies', chain, state: HEAD });
  for await (const chain of chainsOf(tables.requests, 'state'))
    chains.push({ table: 'requests', chain, state: 'state' });
  const uncopied = await waitingOf(tables.uncopied);
  const waits = (key: string, { at: written }: AuditEntry): boolean =>
    uncopied.has(key) && at.getTime() - new Date(written).getTime() < LONGEST_WAIT_MS;

  const inTrails: Finding[] = [];
  const inCopies: Finding[] = [];
  const note = (list: Finding[], finding: Finding | undefined): void => void (finding && list.push(finding));
  let entries = 0;
  let waiting = 0;
  for (const { table, chain, state } of chains) {
    entries += chain.entries.length;
    const mayBeMissing = async (entry: AuditEntry): Promise<boolean> => {
      const key = entryKey(entry.seq);
      if (!waits(`${chain.name}/${key}`, entry))
        return (await tables.audit.get(chain.name, key))?.['hash'] === entry.hash;
      waiting += 1;
      return true;
    };
    note(inTrails, brokenIn(table, chain, state));
    note(inCopies, await brokenCopy(chain, copies.byChain.get(chain.name) ?? [], mayBeMissing));
  }
  const known = new Set(chains.map(({ chain }) => chain.name));
  for (const [name, copied] of copies.byChain) {
    if (known.has(name) || copied.length === 0) continue;
    const table = isInRequests(name) ? 'requests' : 'policies';
    inTrails.push({
      row: `${table} ${name}`,
      why: `the whole partition is missing, of which ${String(copied.length)} entries were copied`,
    });
  }

  const byKey = new Map([...copies.byChain.values()].flat().map((copy) => [keyOf(copy), subjectOf(copy)]));
  const inDays: Finding[] = [];
  const listed = new Set<string>();
  for (const [day, rows] of copies.days) {
    note(inDays, brokenDay(day, rows, byKey));
    for (const row of rows) listed.add(keyOf(row));
  }
  for (const copy of [...copies.byChain.values()].flat()) {
    if (listed.has(keyOf(copy)) || waits(keyOf(copy), copy.entry)) continue;
    const row = await tables.audit.get(copy.chain, entryKey(copy.entry.seq));
    const day = await tables.audit.get(dayPartition(String(row?.['day'])), dayKey(copy));
    if (day !== undefined) continue;
    inDays.push({ row: `audit ${keyOf(copy)}`, why: 'it stands in no day, so that no seal covers it' });
    break;
  }

  const broken = brokenSeal(copies, at) ?? otherSeal(copies, expected);
  const lastSeal = copies.seals.at(-1);
  return {
    findings: [...inTrails, ...inCopies, ...inDays, ...(broken === undefined ? [] : [broken])],
    chains: chains.length,
    entries,
    copied: byKey.size,
    waiting,
    seals: copies.seals.length,
    ...(lastSeal !== undefined && { lastSeal }),
  };
}

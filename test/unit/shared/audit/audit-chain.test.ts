import { CHAIN_START, difference, factsOf, firstBreak, nextDay, sealOf } from '../../../../shared/domain/audit-chain';
import type { AuditEntry } from '../../../../shared/domain/audit-chain';
import { GATEHOUSE } from '../../../../shared/domain/join-request';
import { chain, chainHash, digest, entryRow, parseEntry } from '../../../../shared/records/trail';

const AT = '2026-11-24T08:00:00.000Z';
const entry = (event: string, data?: Record<string, unknown>) => ({
  event,
  at: AT,
  by: GATEHOUSE,
  ...(data !== undefined && { data }),
});
const circumstances = { route: 'GET /x', from: { address: 'a', agent: 'curl' }, policyVersion: 'group@3' };
const trail = (name = 'r_1'): AuditEntry[] =>
  chain(
    name,
    [entry('filed'), entry('approved', { text: 'ja' }), entry('granted')],
    { seq: 0, head: CHAIN_START },
    { ...circumstances, onBehalfOf: { kind: 'person', id: 'p', actor: 'gatehouse' }, after: { state: 'granted' } },
  );
const headOf = (entries: AuditEntry[]) => ({ seq: entries.length, hash: entries.at(-1)?.hash ?? '' });
const brokenAt = (entries: AuditEntry[], head = headOf(trail())) => firstBreak('r_1', entries, head, digest);

test('a trail that stands as it was written holds', () => {
  expect(brokenAt(trail())).toBeUndefined();
});

test.each<[string, (entries: AuditEntry[]) => AuditEntry[], number]>([
  ['changed', (all) => all.map((each) => (each.seq === 2 ? { ...each, event: 'denied' } : each)), 2],
  ['removed', (all) => all.filter(({ seq }) => seq !== 2), 2],
  ['put between', (all) => all.flatMap((each) => (each.seq === 2 ? [each, each] : [each])), 3],
  ['cut off the end', (all) => all.slice(0, 2), 3],
])('an entry that is %s is the first that is named', (_what, tamper, seq) => {
  expect(brokenAt(tamper(trail()))).toMatchObject({ seq });
});

test.each(['from', 'policyVersion', 'onBehalfOf', 'before', 'after', 'route', 'at'] as const)(
  '%s can’t be changed in an entry',
  (field) => {
    const [first, ...rest] = trail();
    if (first === undefined) throw new Error('no entry');
    const changed = {
      ...first,
      [field]: field === 'route' || field === 'at' ? 'x' : { kind: 'x', id: 'x' },
    };
    expect(brokenAt([changed, ...rest])?.seq).toBe(1);
  },
);

test('a chain can’t stand in for another, nor a whole new one for what its head says', () => {
  const other = trail('r_2');
  expect(brokenAt(other, headOf(other))?.seq).toBe(1);
  const forged = chain('r_1', [entry('filed')], { seq: 0, head: CHAIN_START }, { route: 'x', after: {} });
  expect(brokenAt(forged, { seq: 1, hash: headOf(trail()).hash })).toMatchObject({ seq: 1 });
});

/** Written by the app before hashes had a version: such rows stand in deployments. */
const OLD: AuditEntry = {
  seq: 1,
  event: 'filed',
  at: AT,
  by: { kind: 'person', id: 'p', name: 'Rita' },
  data: { a: 1 },
  route: 'POST /api/x',
  previousHash: CHAIN_START,
  hash: digest(JSON.stringify([1, 'filed', AT, 'person', 'p', 'Rita', { a: 1 }, 'POST /api/x', CHAIN_START])),
};

test('what was written before version 2 still holds, and goes on as version 2; not the other way round', () => {
  const more = chain('r_1', [entry('approved')], { seq: 1, head: OLD.hash }, { ...circumstances, after: {} });
  const whole = [OLD, ...more];
  expect(brokenAt(whole, headOf(whole))).toBeUndefined();
  const { hash: _hash, hashVersion: _version, ...older } = { ...OLD, seq: 3, previousHash: more[0]?.hash ?? '' };
  const downgraded = [...whole, { ...older, hash: chainHash('r_1', older) }];
  expect(brokenAt(downgraded, headOf(downgraded))).toMatchObject({ seq: 3 });
  expect(factsOf(whole)).toBeUndefined();
});

test('an entry is read back as it was written, also where its data is long and full of surrogate pairs', () => {
  const data = { text: '𐐷'.repeat(40_000), nested: { list: [1, null] } };
  const [written] = chain('r_1', [entry('x', data)], { seq: 0, head: CHAIN_START }, { ...circumstances, after: {} });
  if (written === undefined) throw new Error('no entry');
  const row = entryRow('r_1', written);
  for (const value of Object.values(row)) {
    if (typeof value !== 'string') continue;
    expect(value.length).toBeLessThanOrEqual(30_000);
    expect(value.isWellFormed()).toBe(true);
  }
  const read = parseEntry({ ...row, etag: '' });
  expect(read).toEqual(written);
  expect(chainHash('r_1', read)).toBe(written.hash);
});

test('only what changed is kept of before and after, and adds up to what stands', () => {
  const steps = [{}, { state: 'pending', until: 'x' }, { state: 'granted', until: 'x' }, { state: 'ended' }];
  const entries = steps.slice(1).map((after, index) => ({ ...trail()[0], ...difference(steps[index] ?? {}, after) }));
  expect(entries.map(({ before, after }) => [before, after])).toEqual([
    [
      { state: null, until: null },
      { state: 'pending', until: 'x' },
    ],
    [{ state: 'pending' }, { state: 'granted' }],
    [
      { state: 'granted', until: 'x' },
      { state: 'ended', until: null },
    ],
  ]);
  expect(factsOf(entries as AuditEntry[])).toEqual({ state: 'ended' });
});

test('a seal depends on every chain, on the day and on the seal before, and not on the order of reading', () => {
  const links = [
    { chain: 'r_1', seq: 1, hash: 'a' },
    { chain: 'r_1', seq: 2, hash: 'b' },
    { chain: 'g_1', seq: 7, hash: 'c' },
  ];
  const seal = sealOf('2026-11-24', links, CHAIN_START, digest);
  expect(seal.chains).toBe(2);
  expect(sealOf('2026-11-24', links.toReversed(), CHAIN_START, digest)).toEqual(seal);
  const others = [
    sealOf('2026-11-25', links, CHAIN_START, digest),
    sealOf('2026-11-24', links, 'f'.repeat(64), digest),
    sealOf('2026-11-24', links.slice(0, 2), CHAIN_START, digest),
    sealOf('2026-11-24', [{ chain: 'r_1', seq: 2, hash: 'x' }, ...links.slice(2)], CHAIN_START, digest),
  ];
  expect(new Set([seal, ...others].map(({ hash }) => hash)).size).toBe(5);
});

test('days follow each other over the ends of months and years', () => {
  expect(['2026-12-31', '2028-02-28', '2027-02-28'].map(nextDay)).toEqual(['2027-01-01', '2028-02-29', '2027-03-01']);
});

import fc from 'fast-check';

import type { Directory, Page, PageOptions } from '../../../shared/directory/directory';
import { policySchema } from '../../../shared/domain/policy';
import type { Group } from '../../../shared/domain/eligibility';
import { listGroups } from '../../../shared/group-changes/read';
import type { Services } from '../../../shared/services';
import { memoryRecords } from '../../model/memory-tables';

/** A search over groups some of which hide their members; the token of a page is the place where it begins. */
function searching(hidden: readonly boolean[]): Services {
  const groups = hidden.map((hiddenMembership, n) => ({ id: `g${String(n)}`, hiddenMembership }) as Group);
  const directory: Pick<Directory, 'searchGroups'> = {
    searchGroups: (_words, { size, after = '0' }: PageOptions): Promise<Page<Group>> => {
      const from = Number(after);
      const next = from + size < groups.length ? { next: String(from + size) } : {};
      return Promise.resolve({ items: groups.slice(from, from + size), ...next });
    },
  };
  const config = { DEFAULT_POLICY: policySchema.parse({ optedIn: true }) };
  return { records: memoryRecords(), directory, config } as unknown as Services;
}

async function pagesOf(hidden: readonly boolean[], size: number, seesAll = false): Promise<string[][]> {
  const services = searching(hidden);
  const reader = { id: 'me', administers: false, seesAll } as Parameters<typeof listGroups>[1];
  const pages: string[][] = [];
  for (let after: string | undefined; pages.length === 0 || after !== undefined;) {
    const by = { kind: 'search' as const, words: ['x'] };
    const page = await listGroups(services, reader, { by, size, ...(after !== undefined && { after }) });
    pages.push(page.items.map(({ id }) => id));
    after = page.next;
  }
  return pages;
}

test('a search finds what may be seen, and neither an empty page nor a next one says that there is more', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 20 }),
      fc.integer({ min: 1, max: 4 }),
      async (hidden, size) => {
        const pages = await pagesOf(hidden, size);
        const visible = hidden.flatMap((is, n) => (is ? [] : [`g${String(n)}`]));
        expect(pages.flat()).toEqual(visible);
        // only the one answer that finds nothing at all is empty
        if (visible.length > 0) expect(pages.every((page) => page.length > 0)).toBe(true);
        else expect(pages).toEqual([[]]);
      },
    ),
  ));

test('whoever sees all groups gets the pages as the directory gives them', async () => {
  expect(await pagesOf([true, false, true], 1, true)).toEqual([['g0'], ['g1'], ['g2']]);
});

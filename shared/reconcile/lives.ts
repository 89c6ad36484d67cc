import { inParallel } from '../parallel';
import { lifePointers } from '../records/group-lives';
import type { Services } from '../services';
import { attempt, PAGE_SIZE, PARALLEL } from './page';
import type { Page } from './page';
import { pointersBack } from './pointers';

/** Lives of groups: what points to them is put back; the sweeper does the rest. @returns where it goes on */
export async function livesPage(services: Services, page: Page): Promise<string | undefined> {
  const { lives } = services.records;
  const { rows, next } = await lives.page(PAGE_SIZE, page.after);
  page.found.lives += rows.length;
  await inParallel(PARALLEL, rows, (read) =>
    attempt(page, read.life.group.id, `the life of the group ${read.life.group.id}`, async () => {
      await pointersBack(
        services,
        read,
        ({ life }) => lifePointers(life),
        () => lives.read(read.life.group.id),
        page,
      );
    }),
  );
  return next;
}

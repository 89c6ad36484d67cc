/**
 * Works through the items, at most `parallel` at a time, in order of their start. Once `goesOn` says no, none is begun any more. The first
 * error of `work` is thrown; what was begun beside it comes to its end unheard.
 */
export async function inParallel<Item>(
  parallel: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
  goesOn: () => boolean = () => true,
): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    while (goesOn()) {
      const next = queue.next();
      if (next.done === true) return;
      await work(next.value);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

/** The same items; while one is worked on, the next is being made. Never more than one ahead. */
export async function* oneAhead<Item>(source: AsyncGenerator<Item, void>): AsyncGenerator<Item, void> {
  const ask = (): Promise<IteratorResult<Item, void>> => {
    const next = source.next();
    // it is waited for below; until then nobody hears a failure
    next.catch(() => undefined);
    return next;
  };
  try {
    for (let next = ask(); ;) {
      const item = await next;
      if (item.done === true) return;
      next = ask();
      yield item.value;
    }
  } finally {
    await source.return();
  }
}

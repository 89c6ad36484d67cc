import type { DurableConfig } from '../host-config';

const DOTTED = /^\d+(\.\d+){1,3}$/;

/** Orders two orchestration versions: none before any, `1.2` numerically, anything else as text. */
export function compareVersions(a: string, b: string): number {
  if (a === '' || b === '') return Number(a !== '') - Number(b !== '');
  if (!DOTTED.test(a) || !DOTTED.test(b)) return compare(a.toLowerCase(), b.toLowerCase());
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let part = 0; part < 4; part += 1) {
    const order = compare(left[part] ?? -1, right[part] ?? -1);
    if (order !== 0) return order;
  }
  return 0;
}

function compare<T extends string | number>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Whether this host, being of `defaultVersion`, may run an instance of a version. */
export function mayRun(
  version: string | null,
  config: Pick<DurableConfig, 'defaultVersion' | 'versionMatchStrategy'>,
): boolean {
  const own = config.defaultVersion ?? '';
  switch (config.versionMatchStrategy) {
    case 'None':
      return true;
    case 'Strict':
      return compareVersions(version ?? '', own) === 0;
    case 'CurrentOrOlder':
      return own === '' || compareVersions(version ?? '', own) <= 0;
  }
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(__dirname, '..', '..', 'docs', 'proof.md');

/** Puts what a run found between the marks of its part in `docs/proof.md`; what people wrote around them stays. */
export function prove(part: string, text: string): void {
  const begin = `<!-- ${part}: made by npm run test:long -- ${part} -->`;
  const end = `<!-- end of ${part} -->`;
  const page = readFileSync(file, 'utf8');
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/proof.md has no place for ${part}`);
  writeFileSync(file, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`);
}

// Runs `main` in this process: what is built of it is build/cli/start.mjs.
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

import { main } from './main';
import { printableLines } from './terminal';

// whoever reads our output may have read enough
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  out: (written) => process.stdout.write(written),
  tell: (sentence) => process.stderr.write(`${printableLines(sentence)}\n`),
  readInput: () => text(process.stdin),
  readFile: (path) => readFile(path, 'utf8'),
  isTerminal: process.stdout.isTTY,
});

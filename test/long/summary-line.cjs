const { existsSync, readFileSync, rmSync } = require('node:fs');
const { join } = require('node:path');

const FILE = join(__dirname, '..', '..', 'build', 'long', 'summary.json');

/** Prints, last of all, the one line that the suite left. */
module.exports = class SummaryLine {
  onRunStart() {
    rmSync(FILE, { force: true });
  }

  onRunComplete() {
    if (!existsSync(FILE)) return;
    const line = readFileSync(FILE, 'utf8').trim();
    // behind jest's own lines, which it writes to standard error
    process.stderr.write('', () => process.stdout.write(`${line}\n`));
  }
};

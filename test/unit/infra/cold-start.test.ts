import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const script = join(__dirname, '..', '..', '..', 'infra', 'cold-start.mjs');
const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });

describe('npm run bench:cold', () => {
  test('loads the bundle and the same code unbundled, and ends with one JSON object', () => {
    const { status, stdout } = run('--runs', '1');
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    const result = JSON.parse(lines.at(-1) ?? '') as Record<string, number>;
    expect(Object.keys(result)).toEqual(['bundledMs', 'unbundledMs', 'ratio']);
    const { bundledMs = 0, unbundledMs = 0, ratio = 0 } = result;
    expect(bundledMs).toBeGreaterThan(0);
    expect(ratio).toBeCloseTo(bundledMs / unbundledMs, 2);
    // the one is one file, the other the app's modules and all that they load
    expect(stdout).toMatch(/^ {2}bundled .* 1 files loaded$/m);
    expect(Number(/^ {2}unbundled .* (\d+) files loaded$/m.exec(stdout)?.[1])).toBeGreaterThan(200);
  });

  test('a wrong option is explained', () => {
    expect(run('--runs', 'many')).toMatchObject({
      status: 1,
      stderr: 'Usage: node infra/cold-start.mjs [--runs <number>]\n',
    });
  });
});

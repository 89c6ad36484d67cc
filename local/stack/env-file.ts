import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { systemCode } from '../folders';
import { StackProblem } from './state-folder';

/** Settings as `KEY=value` lines, as `docker run --env-file` reads them: the value is everything after the first `=`. */
export function envLines(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => {
      if (/[\r\n]/.test(value)) throw new Error(`The setting ${name} has more than one line.`);
      return `${name}=${value}\n`;
    })
    .join('');
}

/** Runs a step on the file; what the system refuses is a problem for the person who named it. */
function onFile(file: string, step: (temporary: string) => void): void {
  try {
    step(`${file}.${process.pid}`);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw new StackProblem(
      `${file} cannot be written (${code}): name a file in a folder that can be, with --env-file <file>.`,
    );
  }
}

/** Sees to it, before anything starts, that a file can be made there. */
export function probeEnvFile(file: string): void {
  onFile(file, (temporary) => {
    writeFileSync(temporary, '');
    rmSync(temporary);
  });
}

/** Writes the settings so that a reader sees the old file or the whole new one. */
export function writeEnvFile(file: string, settings: Record<string, string>): void {
  const text = envLines(settings);
  onFile(file, (temporary) => {
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, file);
  });
}

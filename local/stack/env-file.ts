import { renameSync, writeFileSync } from 'node:fs';

/** Settings as `KEY=value` lines, as `docker run --env-file` reads them: the value is everything after the first `=`. */
export function envLines(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => {
      if (/[\r\n]/.test(value)) throw new Error(`The setting ${name} has more than one line.`);
      return `${name}=${value}\n`;
    })
    .join('');
}

/** Writes the settings so that a reader sees the old file or the whole new one. */
export function writeEnvFile(file: string, settings: Record<string, string>): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, envLines(settings), { mode: 0o600 });
  renameSync(temporary, file);
}

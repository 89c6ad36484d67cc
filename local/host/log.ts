const LEVELS = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'] as const;

/** Severity of a log line, in the words of the worker protocol. */
export type LogLevel = (typeof LEVELS)[number];

/** Writes one line per call, for calls that host.json's `logging.logLevel` lets through. */
export interface Log {
  (level: LogLevel, category: string, message: string): void;
}

/** Reads a level as host.json writes it (`Warning`); undefined when it is none. */
export function parseLogLevel(text: string): LogLevel | undefined {
  return LEVELS.find((level) => level === text.toLowerCase());
}

function minimumFor(category: string, configured: Readonly<Record<string, string>>): LogLevel {
  const key = Object.keys(configured)
    .filter((prefix) => category === prefix || category.startsWith(`${prefix}.`))
    .sort((a, b) => b.length - a.length)[0];
  const text = (key === undefined ? undefined : configured[key]) ?? configured['default'] ?? configured['Default'];
  return parseLogLevel(text ?? '') ?? 'information';
}

function escapeLineBreaks(text: string): string {
  return text.replace(/\r/g, '\\r').replace(/\n/g, '\\n');
}

/**
 * A log that filters by category as host.json says (the longest matching prefix decides, `default` else) and writes
 * `time level category message`, errors to stderr and the rest to stdout.
 */
export function createLog(
  logLevel: Readonly<Record<string, string>>,
  write: (line: string, toStderr: boolean) => void = writeLine,
): Log {
  const minimums = new Map<string, number>();
  return (level, category, message) => {
    let minimum = minimums.get(category);
    if (minimum === undefined) {
      minimum = LEVELS.indexOf(minimumFor(category, logLevel));
      minimums.set(category, minimum);
    }
    const severity = LEVELS.indexOf(level);
    if (severity < minimum || level === 'none') return;
    const line = `${new Date().toISOString()} ${level} ${category} ${escapeLineBreaks(message)}`;
    write(line, severity >= LEVELS.indexOf('error'));
  };
}

function writeLine(line: string, toStderr: boolean): void {
  (toStderr ? process.stderr : process.stdout).write(`${line}\n`);
}

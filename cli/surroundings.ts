/** The process that a command runs in. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** What was asked for. */
  out: (text: string) => void;
  /** Everything else: what goes on, what went wrong. */
  tell: (sentence: string) => void;
  /** All that is piped in. */
  readInput: () => Promise<string>;
  readFile: (path: string) => Promise<string>;
  /** Whether a terminal shows what is written to `out`. */
  isTerminal: boolean;
}

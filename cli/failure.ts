/** What the process ends with. Part of what scripts rely on: `gatehouse help` lists them. */
export const EXIT = {
  done: 0,
  unexpected: 1,
  usage: 2,
  notAllowed: 3,
  notFound: 4,
  refused: 5,
  tryLater: 6,
  otherOutcome: 7,
  stillOpen: 8,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command can't go on; the message says why, and what to do. */
export class Failure extends Error {
  override name = 'Failure';
  constructor(
    readonly code: ExitCode,
    message: string,
  ) {
    super(message);
  }
}

export const usage = (message: string): Failure => new Failure(EXIT.usage, message);

/** The exit code for an answer of the API. */
export function exitCodeOf(status: number): ExitCode {
  if (status >= 200 && status < 300) return EXIT.done;
  switch (status) {
    case 400:
    case 413:
    case 415:
      return EXIT.usage;
    case 401:
    case 403:
      return EXIT.notAllowed;
    case 404:
    case 410:
      return EXIT.notFound;
    case 409:
    case 412:
    case 422:
    case 428:
      return EXIT.refused;
    case 429:
    case 502:
    case 503:
    case 504:
      return EXIT.tryLater;
    default:
      return EXIT.unexpected;
  }
}

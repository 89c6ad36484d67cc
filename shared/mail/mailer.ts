/** One mail to one person. */
export interface OutgoingMail {
  operationId: string;
  to: { name: string; address: string };
  subject: string;
  html: string;
  text: string;
  /** Same for all mails of one request, so that mail programs thread them. */
  references: string;
}

export interface Mailer {
  /**
   * Hands the mail to the service. `asked` asks first whether the service already has this operation, for a mail that an earlier
   * attempt may have handed over.
   * @returns `accepted`, or `refused` where the service says that it won't deliver this mail to this person.
   * @throws {MailUnavailable} where it can't take the mail now.
   */
  send(
    mail: OutgoingMail,
    options: { asked: boolean },
  ): Promise<{ kind: 'accepted' } | { kind: 'refused'; why: string }>;
  /** Whether the service has this mail from an earlier attempt, and did not give it up. @throws {MailUnavailable} where it can't say now. */
  has(mail: OutgoingMail): Promise<boolean>;
}

/** The mail service can't take mail now: down, throttled, or its quota is used up. */
export class MailUnavailable extends Error {
  override name = 'MailUnavailable';
  constructor(
    message: string,
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}

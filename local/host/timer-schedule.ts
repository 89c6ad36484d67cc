import { Cron } from 'croner';
import { parseTimeSpan } from './time-spans';

/** When a timer function runs. */
export interface Schedule {
  /** The first occurrence after a time, both in milliseconds; undefined when there is none any more. */
  after(time: number): number | undefined;
}

/** Reads an NCRONTAB expression of five or six fields, or a TimeSpan; throws where it is neither. */
export function parseSchedule(text: string, timeZone = 'UTC'): Schedule {
  const interval = parseTimeSpan(text);
  if (interval !== undefined) {
    if (interval <= 0) throw new Error(`The schedule '${text}' is no interval.`);
    return { after: (time) => time + interval };
  }
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6)
    throw new Error(`The schedule '${text}' is not a CRON expression of six fields.`);
  const expression = fields.length === 5 ? `0 ${fields.join(' ')}` : fields.join(' ');
  // NCRONTAB wants day of month and day of week both to match; without one of them given it is the same either way.
  const cron = new Cron(expression, { paused: true, timezone: timeZone, domAndDow: true });
  return { after: (time) => cron.nextRun(new Date(time))?.getTime() };
}

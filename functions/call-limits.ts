import type { Counted } from '../shared/records/limits';
import { problems } from '../shared/web/problem';
import type { Visit } from './door';

/** Counts the call for each of these in turn. @throws {Problem} 429 where one of them had too many in this hour */
export async function withinLimits(
  { services, at }: Pick<Visit<unknown>, 'services' | 'at'>,
  counted: readonly Counted[],
  title = 'Too many of these calls were made in this hour',
): Promise<void> {
  const wait = await services.records.limits.count(counted, at);
  if (wait > 0) throw problems.tooMany(title, wait);
}

import { outlasting } from '../../../../shared/records/memberships';
import type { Grant } from '../../../../shared/records/memberships';

const grant = (requestId: string, until?: string, more: Partial<Grant> = {}): Grant => ({
  requestId,
  from: '2026-03-01',
  ...(until !== undefined && { until }),
  ...more,
});
const own = grant('own', '2026-04-01');

test.each<[string, Grant[], string | undefined]>([
  ['there is no other grant', [own], undefined],
  ['the other ends before, or at the same time', [own, grant('a', '2026-03-20'), grant('b', '2026-04-01')], undefined],
  ['others end later: the one that lasts longest', [grant('a', '2026-05-01'), own, grant('b', '2026-06-01')], 'b'],
  ['another has no end', [grant('a', '2026-05-01'), own, grant('b')], 'b'],
  ['the later one is being ended', [own, grant('a', '2026-05-01', { ending: true })], undefined],
  ['its own grant was prolonged', [grant('own', '2026-09-01')], undefined],
])('what outlasts a grant where %s', (_, grants, expected) => {
  expect(outlasting({ grants }, { requestId: 'own', until: '2026-04-01' })?.requestId).toBe(expected);
});

import { connectTable } from '../../shared/records/tables';
import { modelRuns } from '../model/runs';
import { startTableService } from '../model/table-service';

/**
 * Generated runs against a model that says what may be (docs/proof.md). Here the short form: some on Azurite, more in memory, where a run
 * takes less than a second; `npm run test:long -- model` is the long one.
 */
test('whatever people do, whatever crashes and arrives twice: what stands is what may be, on Azurite', async () => {
  const service = await startTableService();
  try {
    const found = await modelRuns({
      seed: 11,
      runs: 2,
      length: 25,
      shrink: false,
      table: (run) => (name) => connectTable(service.endpoint, service.credential, `${name}${String(run)}`),
    });
    expect(found.failure).toBeUndefined();
    expect(found.commands).toBe(50);
  } finally {
    await service.stop();
  }
}, 300_000);

test('whatever people do, whatever crashes and arrives twice: what stands is what may be, in memory', async () => {
  const found = await modelRuns({ seed: 7, runs: 16, length: 25, shrink: false });
  expect(found.failure).toBeUndefined();
  expect(found.commands).toBe(400);
}, 300_000);

// `npm run cli:operations`: writes cli/operations.json from the doors' own descriptions. Its test says when that is due.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describeApi } from '../functions/api-document';
import { routes } from '../functions/routes';
import { operationsIn } from './operations';
import type { ApiDocument } from './operations';

const file = join(import.meta.dirname, '..', '..', 'cli', 'operations.json');
const text = `${JSON.stringify(operationsIn(describeApi(routes, 'http://localhost') as unknown as ApiDocument), null, 2)}\n`;
const isFresh = readFileSync(file, 'utf8') === text;
if (!isFresh) writeFileSync(file, text);
process.stdout.write(isFresh ? 'cli/operations.json is up to date.\n' : 'cli/operations.json was written.\n');

import { apiDocument } from './api-document';
import type { Door } from './door';
import { doors as healthDoors } from './health';
import { doors as joinRequestDoors } from './join-requests';
import { doors as operationsDoors } from './operations';
import { doors as pageDoors } from './pages';

const described: readonly Door[] = [...joinRequestDoors, ...operationsDoors, ...healthDoors];

/** Every door of the app: there is no other way in. */
export const routes: readonly Door[] = [...described, ...pageDoors, apiDocument(described)];

import { apiDocument } from './api-document';
import { doors as auditDoors } from './audit';
import { doors as creationPolicyDoors } from './creation-policy';
import { doors as decisionDoors } from './decisions';
import type { Door } from './door';
import { doors as groupChangeDoors } from './group-changes';
import { doors as groupDecisionPageDoors } from './group-decision-pages';
import { doors as groupReadingDoors } from './group-reading';
import { doors as groupRenewalDoors, pageDoors as groupRenewalPageDoors } from './group-renewals';
import { doors as healthDoors } from './health';
import { doors as joinRequestDoors } from './join-requests';
import { doors as mailDeliveryDoors } from './mail-delivery';
import { doors as membershipDoors, pageDoors as membershipPageDoors } from './memberships';
import { doors as operationsDoors } from './operations';
import { doors as operationsPageDoors } from './operations-pages';
import { doors as ownGroupDoors } from './own-groups';
import { doors as pageDoors } from './pages';
import { doors as policyDoors } from './policies';
import { doors as reportDoors } from './reports';
import { doors as selfServiceDoors } from './self-service';
import { doors as takeOverDoors } from './take-over-pages';

const described: readonly Door[] = [
  ...joinRequestDoors,
  ...decisionDoors,
  ...membershipDoors,
  ...policyDoors,
  ...selfServiceDoors,
  ...reportDoors,
  ...ownGroupDoors,
  ...groupReadingDoors,
  ...groupChangeDoors,
  ...groupRenewalDoors,
  ...creationPolicyDoors,
  ...operationsDoors,
  ...auditDoors,
  ...mailDeliveryDoors,
  ...healthDoors,
];

/** Every door of the app: there is no other way in. */
export const routes: readonly Door[] = [
  ...described,
  ...pageDoors,
  ...membershipPageDoors,
  ...operationsPageDoors,
  ...groupDecisionPageDoors,
  ...groupRenewalPageDoors,
  ...takeOverDoors,
  apiDocument(described),
];

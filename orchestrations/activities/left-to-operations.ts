import type { ChangeRefusal } from '../../shared/group-changes/file';

/** What only operations can mend. */
export class LeftToOperations extends Error {
  override name = 'LeftToOperations';
  constructor(readonly why: ChangeRefusal) {
    super(why.sentence);
  }
}

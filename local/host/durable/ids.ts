import { randomUUID } from 'node:crypto';

/** A new id as the extension makes them: a GUID without dashes. */
export function newInstanceId(): string {
  return randomUUID().replaceAll('-', '');
}

/** A new id of one execution of an instance. */
export function newExecutionId(): string {
  return newInstanceId();
}

import { z } from 'zod';

const roles = z.array(z.string());

/** Who calls a door: what a validated token would say. */
export const callerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('app'), id: z.string(), roles }),
  z.object({ kind: z.literal('person'), id: z.string(), name: z.string(), roles, via: z.literal('token') }),
]);
export type ActingCaller = z.output<typeof callerSchema>;

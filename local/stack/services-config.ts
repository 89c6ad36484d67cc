import { z } from 'zod';
import { portNames } from './ports';

/** The services that one process can run, alone or together. */
export const serviceNames = ['entra', 'directory', 'mail', 'frontDoor', 'wire'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** What `services-main.ts` is told in `LOCAL_STACK_CONFIG`. */
export const servicesConfigSchema = z.strictObject({
  run: z.array(z.enum(serviceNames)),
  state: z.string(),
  ports: z.record(z.enum(portNames), z.int()),
  wires: z.boolean(),
  /** Where mail delivery reports go: the app's route behind the front door unless given; nowhere with `null`. */
  deliveryWebhook: z.url().nullable().optional(),
});
export type ServicesConfig = z.infer<typeof servicesConfigSchema>;

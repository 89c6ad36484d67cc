import type { RegisteredFunction, Registrations } from '../functions-core';

/** The app's orchestrators and activities by name, which the extension matches in any case. */
export interface DurableFunctions {
  orchestrator(name: string): RegisteredFunction | undefined;
  activity(name: string): RegisteredFunction | undefined;
  /** The extension's sentence about a function that can't be called. */
  unknown(kind: 'orchestrator' | 'activity', name: string): string;
}

/** Finds the durable functions among what the app registered. */
export function durableFunctions(registrations: Registrations): DurableFunctions {
  const all = [...registrations.functions.values()];
  const byName = (triggerType: string): Map<string, RegisteredFunction> =>
    new Map(all.filter((fn) => fn.trigger.type === triggerType).map((fn) => [fn.name.toLowerCase(), fn]));
  const orchestrators = byName('orchestrationTrigger');
  const activities = byName('activityTrigger');
  return {
    orchestrator: (name) => orchestrators.get(name.toLowerCase()),
    activity: (name) => activities.get(name.toLowerCase()),
    unknown: (kind, name) => {
      const known = [...(kind === 'orchestrator' ? orchestrators : activities).values()].map((fn) => `'${fn.name}'`);
      const article = kind === 'orchestrator' ? 'an orchestrator' : 'an activity';
      const info =
        known.length > 0
          ? `The following are the known ${kind} functions: ${known.join(', ')}.`
          : `No ${kind} functions are currently registered!`;
      return `The function '${name}' doesn't exist, is disabled, or is not ${article} function. Additional info: ${info}`;
    },
  };
}

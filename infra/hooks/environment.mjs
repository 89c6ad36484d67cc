// What azd knows of an environment: it sets it for hooks that it runs itself; run by hand, a script asks azd for it.
import { spawnSync } from 'node:child_process';

/** azd on Windows is a program as well, so no shell is needed. */
const azd = (args) => spawnSync('azd', args, { encoding: 'utf8' });

/** Reads azd's `NAME="value"` lines: numbers stand without quotes, and `!`, `$` and backticks are escaped beside what JSON escapes. */
function parseValues(text) {
  const lines = text.split('\n').flatMap((line) => {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*?)\s*$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value]];
  });
  const unquoted = (value) => (value.startsWith('"') ? JSON.parse(value.replace(/\\([!$`])/g, '$1')) : value);
  return Object.fromEntries(lines.map(([name, value]) => [name, unquoted(value)]));
}

/**
 * The variables of the environment, the process's own first. Names are looked up without regard to case, since outputs of the template
 * have come out of azd in other cases than they were written.
 */
export function environmentOf(processEnvironment) {
  const byAzd = processEnvironment.AZURE_ENV_NAME !== undefined;
  const asked = byAzd ? undefined : azd(['env', 'get-values']);
  const known = { ...(asked?.status === 0 ? parseValues(asked.stdout) : {}), ...processEnvironment };
  const lower = new Map(Object.entries(known).map(([name, value]) => [name.toLowerCase(), value]));
  return new Proxy(known, {
    get: (target, name) => {
      if (typeof name !== 'string') return undefined;
      const value = target[name] ?? lower.get(name.toLowerCase());
      return value === '' ? undefined : value;
    },
  });
}

/** Keeps a value for the next steps. Resolves to whether azd took it; without azd the line tells what to do instead. */
export function remember(name, value, say) {
  const { status } = azd(['env', 'set', name, value]);
  if (status === 0) say(`azd environment: ${name}=${value}`);
  else say(`azd did not take it. Set it yourself: ${name}=${value}`);
  return status === 0;
}

/** Clears a value; azd can't remove one, and an empty one counts as missing. */
export const forget = (name, say) => remember(name, '', say);

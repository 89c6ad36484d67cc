import type { Origin } from '../domain/audit-chain';
import { digest } from '../records/trail';

const AGENT_LENGTH = 120;
const ADDRESS_DIGITS = 16;

/** `203.0.113.7:51234` and `[2001:db8::1]:51234` without their port. */
const withoutPort = (address: string): string =>
  /^\[([^\]]+)\](:\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;

/**
 * Where a call came from, as the trail keeps it. The address is the last one in `X-Forwarded-For`, which the platform's own front end
 * wrote; those before it are the caller's claim. It is kept as the first 64 bits of SHA-256 over tenant and address: that tells whether
 * two entries came from the same address and keeps the address itself out of exports, but it is no secret: who knows the tenant's id
 * can try all addresses of IPv4.
 */
export function originOf(headers: { get(name: string): string | null }, tenantId: string): Origin {
  const address = headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? '';
  const agent = (headers.get('user-agent') ?? '')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .trim()
    .slice(0, AGENT_LENGTH);
  return {
    ...(address !== '' && {
      address: digest(`${tenantId.toLowerCase()} ${withoutPort(address).toLowerCase()}`).slice(0, ADDRESS_DIGITS),
    }),
    ...(agent !== '' && { agent }),
  };
}

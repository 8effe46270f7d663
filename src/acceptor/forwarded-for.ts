import { type AddressList, readAddress } from './address-list.ts';

/**
 * The client's address behind proxies. Each proxy adds, at the end of `X-Forwarded-For`, the address that it was called
 * from; so the list is read backwards, as far as proxies that are trusted vouch for it. What stands before that may be
 * anybody's invention, and so may all of it when `peer` itself is not trusted.
 */
export function forwardedFor(peer: string, header: string | undefined, trusted: AddressList): string {
  if (header === undefined || !trusted.has(peer)) return peer;
  const hops = header.split(',');
  let address = peer;
  while (hops.length > 0 && trusted.has(address)) {
    const hop = addressOf((hops.pop() as string).trim());
    // A hop that hides its address (`unknown`) ends what is known.
    if (hop === null) break;
    address = hop;
  }
  return address;
}

/** Some proxies add the port: `192.0.2.1:5000`, `[2001:db8::1]:5000`. */
function addressOf(hop: string): string | null {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(hop) ?? [];
  return readAddress(bracketed ?? plain ?? hop);
}

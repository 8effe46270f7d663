import type { Network } from './network.ts';

/** The links that are still to be made, each in words: a link is made when each of two relays has dialled the other one, and has told it all. */
export function beingMade({ inbound, outbound }: Network): string[] {
  const links = Array.from(inbound.beingMade(), ([address, why]) => `${address}: ${why}`);
  for (const node of inbound.nodes)
    if (outbound.of(node)?.serves !== true) links.push(`${node}: it has not made its own link yet`);
  for (const [node, { connection }] of outbound.all())
    if (connection !== undefined && !inbound.has(node)) links.push(`${node}: it is not linked yet`);
  return links;
}

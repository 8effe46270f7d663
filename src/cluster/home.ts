import { hashKey } from '../topic/topic-name.ts';

/**
 * Which relay gives a topic's messages their order, where all relays are to see one: the home, by rendezvous hashing
 * (Thaler and Ravishankar, 1998). Every relay finds the same one among the same live relays, and when one dies only its
 * own topics move.
 */
export function homeOf(key: string, nodes: Iterable<string>): string | undefined {
  let best: string | undefined;
  for (const node of nodes) if (best === undefined || outranks(node, best, key)) best = node;
  return best;
}

/** Whether `a` comes before `b` as the topic's home. */
export function outranks(a: string, b: string, key: string): boolean {
  const difference = score(a, key) - score(b, key);
  return difference === 0 ? a < b : difference > 0;
}

/** MurmurHash3's last mixing, without which names that differ in one letter would hardly differ in their scores. */
function score(node: string, key: string): number {
  let hash = hashKey(`${node}\0${key}`);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

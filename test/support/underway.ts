import type { Underway } from '../../src/cluster/mesh/forwarded-counts.ts';

/** So many messages on their way to their home, each of a topic of its own, of which nobody wants to hear. */
export function underway(count: number): Underway[] {
  const forwarded = { message: { kind: 'text', payload: Buffer.from('x') }, key: '' } as const;
  return Array.from({ length: count }, (_, i) => ({
    topic: { realm: 'main', name: `${i}` },
    forwarded,
    sender: { type: 'nobody' },
  }));
}

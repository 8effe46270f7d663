import test from 'ava';
import type { Network } from '../../../src/cluster/mesh/network.ts';
import { homeOf, MeshOrdering, outranks } from '../../../src/cluster/mesh/ordering.ts';
import { OutboundLinks } from '../../../src/cluster/mesh/outbound-links.ts';
import { spawnScripted, testSystem } from '../../support/otp.ts';

const nodes = ['relay-1', 'relay-2', 'relay-3', 'relay-4', 'relay-5'];
const topics = Array.from({ length: 5000 }, (_, index) => `main\0orders.${index}`);

test('the order in which relays are known does not matter', (t) => {
  for (const topic of topics.slice(0, 100)) t.is(homeOf(topic, nodes), homeOf(topic, nodes.toReversed()));
});

test('homes are spread evenly, and a relay that dies moves its own topics alone', (t) => {
  const counts = new Map<string, number>();
  for (const topic of topics) {
    const home = homeOf(topic, nodes) as string;
    counts.set(home, (counts.get(home) ?? 0) + 1);
    const without = homeOf(
      topic,
      nodes.filter((node) => node !== 'relay-3'),
    );
    if (home !== 'relay-3') t.is(without, home);
  }
  for (const count of counts.values()) t.true(count > 800 && count < 1200, `${count}`);
});

test('of two relays exactly one outranks the other', (t) => {
  for (const topic of topics.slice(0, 100)) t.not(outranks('a', 'b', topic), outranks('b', 'a', topic));
});

test('a member is the link to the relay that it serves', (t) => {
  const { system } = testSystem();
  const outbound = new OutboundLinks();
  const ordering = new MeshOrdering({ outbound } as unknown as Network);
  const [toB, toC] = [spawnScripted(system).pid, spawnScripted(system).pid];
  outbound.begin({ node: 'b', incarnation: 'b1' }, toB);
  outbound.begin({ node: 'c', incarnation: 'c1' }, toC);
  t.true(ordering.isLinkTo(toB, 'b'));
  t.false(ordering.isLinkTo(toC, 'b'));
  t.false(ordering.isLinkTo(toB, 'nobody'));
});

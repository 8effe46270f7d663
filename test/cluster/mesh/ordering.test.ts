import test from 'ava';
import { InboundLinks } from '../../../src/cluster/mesh/inbound-links.ts';
import type { Network } from '../../../src/cluster/mesh/network.ts';
import { homeOf, MeshOrdering, outranks } from '../../../src/cluster/mesh/ordering.ts';
import { OutboundLinks } from '../../../src/cluster/mesh/outbound-links.ts';
import { ReceivedCounts } from '../../../src/door/peer/dialling-session.ts';
import { Topic } from '../../../src/topic/topic.ts';
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

test('a relay that is to be the home is known by its link to this one, until this one has a link to it', (t) => {
  const { system } = testSystem();
  const network = {
    self: { node: 'a', incarnation: 'a1' },
    inbound: new InboundLinks(),
    outbound: new OutboundLinks(),
  };
  const ordering = new MeshOrdering(network as unknown as Network);
  const [b, c] = [
    { node: 'b', incarnation: 'b1' },
    { node: 'c', incarnation: 'c1' },
  ];
  const [toB, toC] = [spawnScripted(system).pid, spawnScripted(system).pid];
  network.outbound.begin(b, toB);
  network.outbound.begin(c, toC);
  const homeAmong = (...among: string[]) => {
    const name = topics.find(
      (key) => homeOf(key, ['a', 'b', 'c']) === among[0] && homeOf(key, ['a', 'b']) === among[1],
    );
    return new Topic('main', name?.slice('main\0'.length) ?? '');
  };
  t.true(ordering.isNextHome(homeAmong('b', 'b'), toB));
  t.false(ordering.isNextHome(homeAmong('a', 'a'), toB));
  t.false(ordering.isNextHome(homeAmong('b', 'b'), spawnScripted(system).pid));
  const counts = new ReceivedCounts('b1', 0);
  network.inbound.linked(b, spawnScripted(system).pid, counts, { version: 2, epoch: 1 });
  t.false(ordering.isNextHome(homeAmong('b', 'b'), toB));
  t.true(ordering.isNextHome(homeAmong('c', 'b'), toC));
  t.false(ordering.isNextHome(homeAmong('b', 'b'), toC));
  t.true(ordering.isLinkTo(toB, 'b'));
  t.false(ordering.isLinkTo(toC, 'b'));
  t.false(ordering.isLinkTo(toB, 'nobody'));
});

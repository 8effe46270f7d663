import test from 'ava';
import { Peers } from '../../../src/cluster/nats/peers.ts';

const heard = (peers: Peers, node: string, time = 0, incarnation = '1') =>
  peers.heard({ node, incarnation }, time);

test('a relay is new when it is first heard of, and when it has started anew', (t) => {
  const peers = new Peers();
  t.deepEqual(
    [heard(peers, 'a'), heard(peers, 'a'), heard(peers, 'a', 0, '2'), heard(peers, 'b')],
    [true, false, true, true],
  );
});

test('a relay is silent at its timeout', (t) => {
  const peers = new Peers();
  heard(peers, 'a', 0);
  heard(peers, 'b', 1);
  t.deepEqual(peers.silent(999, 1000), []);
  t.deepEqual(peers.silent(1000, 1000), ['a']);
  t.deepEqual(peers.nodes, ['b']);
  t.true(heard(peers, 'a', 1001));
});

test('a claim is granted when all have granted it, and refused by one', (t) => {
  const peers = new Peers();
  heard(peers, 'a');
  heard(peers, 'b');
  peers.ask(1, true);
  t.is(peers.decided(1), null);
  t.is(peers.answered(1, 'a', true), null);
  t.deepEqual(peers.answered(1, 'b', true), { granted: true, nodes: ['a', 'b'] });
  t.is(peers.answered(1, 'b', true), null);
  t.is(peers.end(1), null);
  peers.ask(2, true);
  t.deepEqual(peers.answered(2, 'b', false), { granted: false, nodes: [] });
  t.is(peers.answered(2, 'a', true), null);
  t.is(peers.end(2), null);
});

test('who has not answered in time has granted nothing', (t) => {
  const peers = new Peers();
  heard(peers, 'a');
  heard(peers, 'b');
  peers.ask(1, true);
  peers.answered(1, 'b', true);
  t.deepEqual(peers.end(1), { granted: true, nodes: ['b'] });
});

test('where nobody else is known, a claim is granted at once, but not before it is settled who is there', (t) => {
  const peers = new Peers();
  peers.ask(1, true);
  t.deepEqual(peers.decided(1), { granted: true, nodes: [] });
  peers.ask(2, false);
  t.is(peers.decided(2), null);
  t.is(peers.answered(2, 'a', true), null);
  t.deepEqual(peers.end(2), { granted: true, nodes: ['a'] });
  peers.ask(3, false);
  t.deepEqual(peers.answered(3, 'a', false), { granted: false, nodes: [] });
});

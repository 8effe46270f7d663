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
  peers.ask(1);
  t.is(peers.answered(1, 'a', true), null);
  t.is(peers.answered(1, 'a', true), null);
  t.is(peers.answered(1, 'b', true), true);
  t.is(peers.answered(1, 'b', true), null);
  peers.ask(2);
  t.is(peers.answered(2, 'b', false), false);
  t.is(peers.answered(2, 'a', true), null);
});

test('of a claim that was asked of nobody known, a refusal counts and a grant does not', (t) => {
  const peers = new Peers();
  t.is(peers.answered(7, 'a', true), null);
  t.is(peers.answered(7, 'a', false), false);
});

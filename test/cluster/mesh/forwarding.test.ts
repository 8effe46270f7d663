import test from 'ava';
import {
  confirmed,
  forgetIfLongGone,
  linkedAgain,
  parted,
  settleForwarded,
} from '../../../src/cluster/mesh/forwarding.ts';
import { FORGET, type Network } from '../../../src/cluster/mesh/network.ts';
import type { State } from '../../../src/cluster/mesh/peer-link-state.ts';
import { newAccounting } from '../../../src/topic/accounting.ts';

const home = { node: 'home', incarnation: 'first' };
const anew = { node: 'home', incarnation: 'second' };

/** A relay that has forwarded so many messages to its home, of which so many are known to have been taken. */
function world(sent: number, taken: number) {
  const accounting = newAccounting();
  const network = { forwarding: new Map(), topics: () => ({ accounting }) } as unknown as Network;
  let time = 1000;
  const self = { system: { clock: { now: () => time } } };
  const state = { network, self, dialled: { node: 'home' } } as unknown as State;
  linkedAgain(network, home, 0);
  const forwarding = () => network.forwarding.get('home');
  const entry = forwarding();
  if (entry !== undefined) entry.sent = sent;
  confirmed(state, taken);
  return {
    network,
    state,
    forwarding,
    counted: () => ({ messages: accounting.messages, unreachable: accounting.lost.unreachable }),
    wait: (milliseconds: number) => {
      time += milliseconds;
    },
  };
}

test('a link made again to the same relay: what it has not taken is lost, to the message', (t) => {
  const { network, counted, forwarding } = world(100, 60);
  t.is(linkedAgain(network, home, 97), 3);
  t.deepEqual(counted(), { messages: 3, unreachable: 3 });
  t.like(forwarding(), { sent: 97, taken: 97, unreachable: 3, partedAt: null });
  t.is(linkedAgain(network, home, 97), 0, 'and only once');
  t.deepEqual(counted(), { messages: 3, unreachable: 3 });
});

test('a relay that was started anew: what the one before has not confirmed is lost', (t) => {
  const { network, counted, forwarding } = world(100, 60);
  t.is(linkedAgain(network, anew, 0), 40);
  t.deepEqual(counted(), { messages: 40, unreachable: 40 });
  t.like(forwarding(), { incarnation: 'second', sent: 0, taken: 0, unreachable: 40 });
});

test('a relay that has forgotten what it took counts from its new beginning', (t) => {
  const { network, counted, forwarding } = world(100, 60);
  t.is(linkedAgain(network, home, 59), 40);
  t.deepEqual(counted(), { messages: 40, unreachable: 40 });
  t.like(forwarding(), { sent: 59, taken: 59 });
});

test('a relay that remembers more than this one has sent since it was settled for has lost nothing more', (t) => {
  const { network, counted } = world(100, 60);
  settleForwarded(network, 'home');
  t.deepEqual(counted(), { messages: 40, unreachable: 40 });
  t.is(linkedAgain(network, home, 97), 0);
  settleForwarded(network, 'home');
  t.deepEqual(counted(), { messages: 40, unreachable: 40 });
});

test('a relay that stays away is waited for as long as it remembers, and no longer', (t) => {
  const { state, counted, wait, forwarding } = world(100, 60);
  forgetIfLongGone(state);
  t.is(parted(state, 'home'), 40, 'of so many nobody can tell');
  wait(FORGET - 1);
  forgetIfLongGone(state);
  t.deepEqual(counted(), { messages: 0, unreachable: 0 });
  wait(1);
  forgetIfLongGone(state);
  t.deepEqual(counted(), { messages: 40, unreachable: 40 });
  t.is(forwarding(), undefined);
  forgetIfLongGone(state);
  t.deepEqual(counted(), { messages: 40, unreachable: 40 });
});

test('one that is linked is never given up', (t) => {
  const { state, counted, wait } = world(100, 60);
  wait(2 * FORGET);
  forgetIfLongGone(state);
  t.deepEqual(counted(), { messages: 0, unreachable: 0 });
});

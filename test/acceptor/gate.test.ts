import test from 'ava';
import { AddressList } from '../../src/acceptor/addresses.ts';
import { type Asked, Gate, type GateLimits, PostRates } from '../../src/acceptor/gate.ts';

const none = new AddressList([]);

test('an address may post so much in a second, each for itself', (t) => {
  const posts = new PostRates(2, none);
  t.deepEqual([posts.take('a', 0), posts.take('a', 0), posts.take('a', 0)], [true, true, false]);
  t.true(posts.take('b', 0));
  t.true(posts.take('a', 500));
});

test('exempt addresses post as they like, and all do where there is no limit', (t) => {
  const posts = new PostRates(1, new AddressList(['10.0.0.0/8']));
  for (let n = 0; n < 9; n++) t.true(posts.take('10.0.0.1', 0) && posts.take('local', 0));
  const unlimited = new PostRates(0, none);
  for (let n = 0; n < 9; n++) t.true(unlimited.take('a', 0));
  t.is(unlimited.addresses, 0);
});

test('an address that has rested is forgotten', (t) => {
  const posts = new PostRates(2, none);
  for (const address of ['a', 'b', 'c']) posts.take(address, 0);
  posts.take('d', 9999);
  t.is(posts.addresses, 4, 'looked for now and then, not for every message');
  posts.take('e', 10_000);
  t.is(posts.addresses, 2, 'd has not rested yet');
});

test('the addresses of one /64 post as one, its neighbour for itself', (t) => {
  const posts = new PostRates(2, none);
  const taken = ['2001:db8:0:1::', '2001:db8::1:ffff:ffff:ffff:ffff', '2001:db8:0:1::9'].map((one) =>
    posts.take(one, 0),
  );
  t.deepEqual(taken, [true, true, false]);
  t.true(posts.take('2001:db8:0:2::', 0));
  t.true(posts.take('2001:db8::ffff:ffff:ffff:ffff', 0));
  t.is(posts.addresses, 3);
});

test('another rate is that of addresses that are counted already, from the next message on', (t) => {
  const posts = new PostRates(100, none);
  posts.take('a', 0);
  posts.configure(2, none);
  t.deepEqual([posts.take('a', 0), posts.take('a', 0), posts.take('a', 0)], [true, true, false]);
  posts.configure(10, none);
  t.deepEqual([posts.take('a', 100), posts.take('a', 200)], [false, true]);
});

const noLimits: GateLimits = {
  connections: 0,
  connectionsPerAddress: 0,
  connectionRatePerAddress: 0,
  failedAuthorisations: 0,
  publishRate: 0,
  exempt: [],
};

const good: Asked = { isOriginAllowed: true, isPost: false, isForwarded: false };

test('every refusal is counted under its reason, once, and nothing else is', (t) => {
  const gate = new Gate({ ...noLimits, connections: 2, connectionsPerAddress: 1 });
  t.is(gate.enter('a', 0), 'admitted');
  t.is(gate.enter('a', 0), 'address-full');
  t.is(gate.enterClient('a', 0), 'address-full');
  t.is(gate.enterProxy(), 'admitted');
  t.is(gate.enterProxy(), 'full');
  t.is(gate.enter('b', 0), 'full');
  t.is(gate.refuse('tls'), 'tls');
  const counted = Object.entries(gate.refusals).filter(([, count]) => count > 0);
  t.deepEqual(Object.fromEntries(counted), { full: 2, 'address-full': 2, tls: 1 });
});

test('a rate that is used up is counted as one', (t) => {
  const gate = new Gate({ ...noLimits, connectionRatePerAddress: 1 });
  t.is(gate.enter('a', 0), 'admitted');
  t.is(gate.enter('a', 0), 'address-rate');
  t.is(gate.refusals['address-rate'], 1);
});

test('an address with too many failures is refused whatever it does, and each time is counted', (t) => {
  const gate = new Gate({ ...noLimits, failedAuthorisations: 2 });
  for (let n = 0; n < 2; n++) gate.failed('a', 0);
  t.is(gate.enter('a', 0), 'failed-authorisations');
  t.is(gate.enterClient('a', 0), 'failed-authorisations');
  t.is(gate.ask('a', { ...good, isOriginAllowed: false }, 0), 'failed-authorisations');
  t.true(gate.refuses('a', 0));
  t.false(gate.refuses('b', 0));
  t.is(gate.refusals['failed-authorisations'], 4);
  t.is(gate.refusals.origin, 0);
  t.is(gate.admission.open, 0);
});

test('of a request a bad origin is refused before its rate is used, and that before its client is counted', (t) => {
  const gate = new Gate({ ...noLimits, publishRate: 1, connectionsPerAddress: 1 });
  const post = { ...good, isPost: true, isForwarded: true };
  t.is(gate.ask('a', { ...post, isOriginAllowed: false }, 0), 'origin');
  t.is(gate.ask('a', post, 0), 'admitted');
  t.is(gate.ask('a', post, 0), 'publish-rate');
  t.is(gate.ask('a', { ...good, isForwarded: true }, 0), 'address-full');
  gate.admission.leaveClient('a', 0);
  t.is(gate.ask('a', { ...good, isForwarded: true }, 0), 'admitted');
  t.is(gate.ask('a', good, 0), 'admitted', 'a connection of its own has been counted already');
  t.like(gate.refusals, { origin: 1, 'publish-rate': 1, 'address-full': 1 });
});

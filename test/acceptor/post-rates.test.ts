import test from 'ava';
import { AddressList } from '../../src/acceptor/address-list.ts';
import { PostRates } from '../../src/acceptor/post-rates.ts';

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

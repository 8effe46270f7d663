import test from 'ava';
import { AddressList } from '../../src/acceptor/addresses.ts';
import { FailedAuthorisations } from '../../src/acceptor/failed-authorisations.ts';

const MINUTE = 60_000;

const attempts = (limit: number, exempt: readonly string[] = []) =>
  new FailedAuthorisations(limit, new AddressList(exempt));

test('ten failures in a minute have an address refused for a minute, nine do not', (t) => {
  const tried = attempts(10);
  for (let at = 0; at < 9; at++) tried.failed('a', at);
  t.false(tried.refuses('a', 9));
  tried.failed('a', 9);
  t.true(tried.refuses('a', 9));
  t.true(tried.refuses('a', 9 + MINUTE - 1));
  t.false(tried.refuses('a', 9 + MINUTE));
  t.false(tried.refuses('b', 9), 'others are not refused');
});

test('the minute slides', (t) => {
  const tried = attempts(3);
  for (const at of [0, 10, MINUTE]) tried.failed('a', at);
  t.false(tried.refuses('a', MINUTE), 'the first one is a minute old');
  tried.failed('a', MINUTE + 9);
  t.true(tried.refuses('a', MINUTE + 9));
});

test('exempt addresses and clients of a UNIX socket may fail, and so may all where there is no limit', (t) => {
  const exempt = attempts(1, ['10.0.0.0/8']);
  for (const address of ['10.1.1.1', 'local']) {
    exempt.failed(address, 0);
    t.false(exempt.refuses(address, 0), address);
  }
  const unlimited = attempts(0);
  for (let at = 0; at < 100; at++) unlimited.failed('a', at);
  t.false(unlimited.refuses('a', 100));
});

test('an address is forgotten when its failures are old', (t) => {
  const tried = attempts(2);
  tried.failed('a', 0);
  tried.failed('b', 0);
  tried.failed('b', 1);
  tried.failed('c', MINUTE - 1);
  t.is(tried.addresses, 3);
  tried.failed('d', MINUTE - 1 + 10_000);
  t.is(tried.addresses, 2, 'a and b are forgotten');
});

test('no more addresses are remembered than there is room for', (t) => {
  const tried = attempts(1);
  for (let n = 0; n <= 50_000; n++) tried.failed(`a${n}`, 0);
  t.is(tried.addresses, 50_000);
  t.false(tried.refuses('a0', 1), 'the oldest is forgotten');
  t.true(tried.refuses('a50000', 1));
});

test('the addresses of one /64 fail as one, and an IPv4 one for itself', (t) => {
  const tried = attempts(10);
  for (let n = 0; n < 9; n++) tried.failed(`2001:db8:0:1::${n}`, n);
  tried.failed('2001:db8:0:2::', 9);
  t.false(tried.refuses('2001:db8:0:1::f', 9), 'nine');
  tried.failed('2001:db8::1:ffff:ffff:ffff:ffff', 9);
  t.true(tried.refuses('2001:db8:0:1::f', 9), 'ten');
  t.false(tried.refuses('2001:db8:0:2::', 9));
  t.false(tried.refuses('2001:db8::ffff:ffff:ffff:ffff', 9));
  for (let n = 0; n < 10; n++) tried.failed(`192.0.2.${n}`, 9);
  t.false(tried.refuses('192.0.2.1', 9));
});

const nobody = new AddressList([]);

for (const failures of [3, 4, 8]) {
  test(`a limit that is lowered to 3 refuses an address with ${failures} failures in the last minute at once`, (t) => {
    const tried = attempts(10);
    for (let at = 0; at < failures; at++) tried.failed('a', at);
    tried.failed('b', 0);
    tried.configure(3, nobody);
    t.true(tried.refuses('a', failures));
    t.true(tried.refuses('a', failures - 1 + MINUTE - 1));
    t.false(tried.refuses('a', failures - 1 + MINUTE));
    t.false(tried.refuses('b', failures));
    tried.failed('b', 10);
    t.false(tried.refuses('b', 10));
    tried.failed('b', 11);
    t.true(tried.refuses('b', 11));
  });
}

test('an address with more failures than a lowered limit fails once more, and is refused', (t) => {
  const tried = attempts(10);
  for (let at = 0; at < 8; at++) tried.failed('a', at);
  tried.configure(3, nobody);
  tried.failed('a', 8);
  t.true(tried.refuses('a', 8 + MINUTE - 1));
});

test('an address that was refused is free at once where it is exempt now, and where no limit is left', (t) => {
  const tried = attempts(1);
  tried.failed('10.0.0.1', 0);
  t.true(tried.refuses('10.0.0.1', 1));
  tried.configure(1, new AddressList(['10.0.0.1']));
  t.false(tried.refuses('10.0.0.1', 1));
  tried.configure(0, nobody);
  t.false(tried.refuses('10.0.0.1', 1));
});

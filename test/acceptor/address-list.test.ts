import test from 'ava';
import { AddressList, plainAddress, readAddress } from '../../src/acceptor/address-list.ts';

test('addresses and blocks are found, of both families', (t) => {
  const list = new AddressList(['10.0.0.1', '192.168.0.0/16', '2001:db8::/32', '::1']);
  for (const inside of ['10.0.0.1', '192.168.255.255', '2001:db8:ffff::1', '::1'])
    t.true(list.has(inside), inside);
  for (const outside of ['10.0.0.2', '192.169.0.0', '2001:db9::', '::2', 'local', 'x']) {
    t.false(list.has(outside), outside);
    t.false(list.has(outside), 'the second time as the first');
  }
});

test('whoever comes by a UNIX socket is found by that name alone', (t) => {
  t.true(new AddressList(['unix:']).has('local'));
  t.false(new AddressList(['0.0.0.0/0', '::/0']).has('local'));
});

test('an empty list has nobody', (t) => {
  t.true(new AddressList([]).empty);
  t.false(new AddressList([]).has('127.0.0.1'));
});

test('an address with a zone is judged without it', (t) => {
  t.true(new AddressList(['fe80::/10']).has('fe80::1%eth0'));
});

test('an IPv4 address that came over IPv6 is itself', (t) => {
  t.is(plainAddress('::ffff:192.0.2.1'), '192.0.2.1');
  t.is(plainAddress('::ffff:0:1'), '::ffff:0:1');
  t.is(plainAddress(undefined), 'local');
});

test('what others write is read in one spelling', (t) => {
  for (const text of ['2001:db8::1', '2001:DB8:0:0::1', '2001:0db8::0001', '2001:db8::1%eth0']) {
    t.is(readAddress(text), '2001:db8::1', text);
  }
  for (const text of ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201'])
    t.is(readAddress(text), '192.0.2.1', text);
  for (const text of ['', 'unknown', '192.0.2', '192.0.2.1:80', '[::1]', '010.0.0.1'])
    t.is(readAddress(text), null, text);
});

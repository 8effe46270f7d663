import test from 'ava';
import {
  AddressList,
  AddressTable,
  countedAs,
  plainAddress,
  readAddress,
} from '../../src/acceptor/addresses.ts';

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

test('an IPv6 address is counted as its /64, an IPv4 one as itself', (t) => {
  for (const address of [
    '2001:db8:1:2::',
    '2001:db8:1:2::1',
    '2001:db8:1:2:ffff:ffff:ffff:ffff',
    '2001:db8:1:2:3:4:5:6',
  ])
    t.is(countedAs(address), '2001:db8:1:2::/64', address);
  for (const [address, counted] of [
    ['2001:db8:1:1:ffff:ffff:ffff:ffff', '2001:db8:1:1::/64'],
    ['2001:db8:1:3::', '2001:db8:1:3::/64'],
    ['2001:db8::1:0:0:1', '2001:db8:0:0::/64'],
    ['2001:db8:0:1:1::', '2001:db8:0:1::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['192.0.2.1', '192.0.2.1'],
    ['local', 'local'],
  ] as const)
    t.is(countedAs(address), counted, address);
  t.is(countedAs(plainAddress('::ffff:192.0.2.1')), '192.0.2.1');
  t.is(countedAs(plainAddress('::ffff:192.0.2.2')), '192.0.2.2');
  t.is(countedAs('::192.0.2.1'), '0:0:0:0::/64');
});

interface Entry {
  readonly made: number;
  over: boolean;
}

function table(most?: number) {
  const all = new AddressTable<Entry>(new AddressList(['10.0.0.1']), ({ over }) => over, most);
  const entry = (address: string, now = 0) => all.entry(address, now, () => ({ made: now, over: false }));
  return { all, entry };
}

test('an address has one entry, and those of one /64 share it', (t) => {
  const { all, entry } = table();
  t.is(entry('2001:db8::1', 1), entry('2001:db8::2', 2));
  t.is(all.get('2001:db8::3')?.made, 1);
  t.is(all.get('192.0.2.1'), undefined);
  all.forget('2001:db8::4');
  t.is(all.size, 0);
});

test('entries that are over are forgotten when another address comes, every ten seconds at the most', (t) => {
  const { all, entry } = table();
  for (const address of ['a', 'b']) entry(address, 10_000).over = true;
  entry('a', 50_000);
  t.is(all.size, 2, 'none has come');
  entry('c', 19_999).over = true;
  t.is(all.size, 3, 'not so soon');
  entry('d', 20_000);
  t.is(all.size, 1);
});

test('with more entries than there may be the oldest is forgotten', (t) => {
  const { all, entry } = table(2);
  for (const address of ['a', 'b', 'a', 'c']) entry(address);
  t.deepEqual([all.get('a'), all.size], [undefined, 2]);
});

test('exempt are those of the list and clients of a UNIX socket; another list is told from the same', (t) => {
  const { all } = table();
  t.deepEqual(
    ['10.0.0.1', 'local', '10.0.0.2'].map((one) => all.isExempt(one)),
    [true, true, false],
  );
  t.false(all.exempt(new AddressList(['10.0.0.1'])));
  t.true(all.exempt(new AddressList(['10.0.0.2'])));
  t.true(all.isExempt('10.0.0.2'));
});

import test from 'ava';
import { AddressList } from '../../src/acceptor/address-list.ts';
import { forwardedFor } from '../../src/acceptor/forwarded-for.ts';

const trusted = new AddressList(['10.0.0.0/8', 'unix:']);

test('of somebody who is not trusted the header counts for nothing', (t) => {
  t.is(forwardedFor('192.0.2.9', '198.51.100.1', trusted), '192.0.2.9');
  t.is(forwardedFor('192.0.2.9', undefined, trusted), '192.0.2.9');
  t.is(forwardedFor('10.0.0.1', '198.51.100.1', new AddressList([])), '10.0.0.1');
});

test('a trusted proxy names its client', (t) => {
  t.is(forwardedFor('10.0.0.1', '198.51.100.1', trusted), '198.51.100.1');
  t.is(forwardedFor('local', ' 198.51.100.1 ', trusted), '198.51.100.1');
  t.is(forwardedFor('10.0.0.1', '2001:DB8::0:1', trusted), '2001:db8::1');
  t.is(forwardedFor('10.0.0.1', undefined, trusted), '10.0.0.1');
});

test('what the client has written itself stands before what proxies have added, and is not believed', (t) => {
  t.is(forwardedFor('10.0.0.1', '1.1.1.1, 198.51.100.1', trusted), '198.51.100.1');
  t.is(forwardedFor('10.0.0.1', '10.9.9.9, 198.51.100.1, 10.0.0.2', trusted), '198.51.100.1');
});

test('proxies all the way: the first of them is the client', (t) => {
  t.is(forwardedFor('10.0.0.1', '10.0.0.3, 10.0.0.2', trusted), '10.0.0.3');
});

test('a hop that is no address ends what is known', (t) => {
  for (const hop of ['unknown', '_hidden', '', '198.51.100', 'a, ']) {
    t.is(forwardedFor('10.0.0.1', `198.51.100.1, ${hop}`, trusted), '10.0.0.1', hop);
  }
  t.is(forwardedFor('10.0.0.1', 'x, 10.0.0.2', trusted), '10.0.0.2');
});

test('ports are left out', (t) => {
  t.is(forwardedFor('10.0.0.1', '198.51.100.1:5000', trusted), '198.51.100.1');
  t.is(forwardedFor('10.0.0.1', '[2001:db8::1]:5000', trusted), '2001:db8::1');
  t.is(forwardedFor('10.0.0.1', '[2001:db8::1]', trusted), '2001:db8::1');
});

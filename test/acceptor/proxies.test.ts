import test from 'ava';
import { AddressList } from '../../src/acceptor/addresses.ts';
import { forwardedFor, parseProxyHeader } from '../../src/acceptor/proxies.ts';
import { proxyV2 } from '../support/proxy-header.ts';

const v1 = 'PROXY TCP4 192.0.2.1 198.51.100.1 5000 443\r\n';

test('version 1 names the client', (t) => {
  for (const [line, address] of [
    [v1, '192.0.2.1'],
    ['PROXY TCP6 2001:DB8::1 ::1 5000 443\r\n', '2001:db8::1'],
    ['PROXY TCP6 ::ffff:192.0.2.1 ::1 0 65535\r\n', '192.0.2.1'],
    ['PROXY UNKNOWN\r\n', null],
    ['PROXY UNKNOWN whatever follows\r\n', null],
  ] as const) {
    t.deepEqual(parseProxyHeader(Buffer.from(line)), { type: 'header', address, length: line.length }, line);
    t.deepEqual(parseProxyHeader(Buffer.from(`${line}GET /`)), {
      type: 'header',
      address,
      length: line.length,
    });
  }
});

test('version 2 names the client', (t) => {
  const more = Buffer.from([4, 0, 1, 0]);
  for (const [bytes, address] of [
    [proxyV2('192.0.2.1'), '192.0.2.1'],
    [proxyV2('192.0.2.1', { more }), '192.0.2.1'],
    [proxyV2('2001:db8:0:0:0:0:0:1', { family: 0x21 }), '2001:db8::1'],
    [proxyV2('0:0:0:0:0:ffff:c000:201', { family: 0x21 }), '192.0.2.1'],
    [proxyV2('192.0.2.1', { command: 0x20 }), null],
    [proxyV2('192.0.2.1', { family: 0x00 }), null],
    [proxyV2('192.0.2.1', { family: 0x31 }), null],
  ] as const) {
    const header = { type: 'header', address, length: bytes.length };
    t.deepEqual(parseProxyHeader(bytes), header);
    t.deepEqual(parseProxyHeader(Buffer.concat([bytes, Buffer.from('GET /')])), header);
  }
});

test('every beginning of a header is incomplete', (t) => {
  for (const bytes of [Buffer.from(v1), proxyV2('192.0.2.1'), proxyV2('1:2:3:4:5:6:7:8', { family: 0x21 })]) {
    for (let length = 0; length < bytes.length; length++) {
      t.is(parseProxyHeader(bytes.subarray(0, length)).type, 'incomplete', `${length}`);
    }
  }
});

test('what is no header is refused at its first byte', (t) => {
  for (const text of [
    'GET / HTTP/1.1\r\n',
    'PROXZ',
    '\r\n\r\n\0\r\nQUIZ',
    '\u0016\u0003\u0001',
    'proxy TCP4',
  ]) {
    t.is(parseProxyHeader(Buffer.from(text, 'latin1')).type, 'invalid', text);
  }
});

test('a header that is not well-formed is refused', (t) => {
  for (const line of [
    'PROXY TCP4 192.0.2.1 198.51.100.1 5000\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 5000 443 \r\n',
    'PROXY TCP4 192.0.2.1  198.51.100.1 5000 443\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.1 5000 443\r\n',
    'PROXY TCP4 2001:db8::1 ::1 5000 443\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.1 5000 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 05 443\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.1 5000 443\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY \r\n',
  ]) {
    t.is(parseProxyHeader(Buffer.from(line)).type, 'invalid', line);
  }
  const odd = [{ command: 0x22 }, { command: 0x11 }, { family: 0x12 }, { family: 0x41 }];
  for (const parts of odd)
    t.is(parseProxyHeader(proxyV2('192.0.2.1', parts)).type, 'invalid', JSON.stringify(parts));
  const short = proxyV2('192.0.2.1');
  short.writeUInt16BE(11, 14);
  t.is(parseProxyHeader(short).type, 'invalid', 'too short for its addresses');
});

test('a header is not longer than it may be', (t) => {
  const line = (length: number): Buffer => Buffer.from(`PROXY UNKNOWN ${'x'.repeat(length - 16)}\r\n`);
  t.deepEqual(parseProxyHeader(line(107)), { type: 'header', address: null, length: 107 });
  t.is(parseProxyHeader(line(108)).type, 'invalid');
  t.is(parseProxyHeader(line(200).subarray(0, 106)).type, 'incomplete');
  t.is(parseProxyHeader(line(200).subarray(0, 107)).type, 'invalid', 'without an end, too');
  const of = (length: number): Buffer => proxyV2('192.0.2.1', { more: Buffer.alloc(length - 28) });
  t.is(parseProxyHeader(of(4096)).type, 'header');
  t.is(parseProxyHeader(of(4097)).type, 'invalid');
  t.is(parseProxyHeader(of(4097).subarray(0, 16)).type, 'invalid', 'and is not waited for');
});

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

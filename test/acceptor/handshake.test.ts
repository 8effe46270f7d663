import test from 'ava';
import { refuseHandshake } from '../../src/acceptor/handshake.ts';

const good: readonly (readonly [name: string, value: string])[] = [
  ['Host', 'example.com'],
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
];

type Headers = readonly (readonly [string, string])[];

/** The status of the refusal, or null. Of repeated headers Node keeps the first, or joins them. */
function judge(headers: Headers, { method = 'GET', httpVersion = '1.1' } = {}): number | null {
  const folded: Record<string, string> = {};
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (folded[key] === undefined) folded[key] = value;
    else if (key !== 'host') folded[key] += `, ${value}`;
  }
  const refusal = refuseHandshake({ method, httpVersion, headers: folded, rawHeaders: headers.flat() });
  return refusal?.status ?? null;
}

const without = (name: string): Headers => good.filter(([other]) => other !== name);
const withValue = (name: string, value: string): Headers => [...without(name), [name, value]];

test('a good one is not refused, however its words are written', (t) => {
  t.is(judge(good), null);
  t.is(judge(withValue('Connection', 'keep-alive, upgrade')), null);
  t.is(judge(withValue('Connection', 'UPGRADE')), null);
  t.is(judge(withValue('Upgrade', 'WebSocket')), null);
  t.is(judge(good.map(([name, value]) => [name.toUpperCase(), value] as const)), null);
  t.is(judge([...good, ['Content-Length', '0']]), null);
  for (const protocols of ['http-only', 'a, b', 'a,b', 'v1.chat+json'])
    t.is(judge([...good, ['Sec-WebSocket-Protocol', protocols]]), null, protocols);
});

for (const name of ['Host', 'Connection', 'Upgrade', 'Sec-WebSocket-Key'])
  test(`without ${name} it is 400`, (t) => t.is(judge(without(name)), 400));

for (const name of ['Host', 'Sec-WebSocket-Key'])
  test(`with ${name} twice it is 400`, (t) =>
    t.is(judge([...good, good.find(([other]) => other === name) as [string, string]]), 400));

test('a version other than 13, several, or none is 426', (t) => {
  for (const version of ['12', '14', '013', '13, 8', ''])
    t.is(judge(withValue('Sec-WebSocket-Version', version)), 426, version);
  t.is(judge(without('Sec-WebSocket-Version')), 426);
  t.is(judge([...good, ['sec-websocket-version', '13']]), 426);
});

test('a key is 16 bytes in base64', (t) => {
  for (const key of ['AAAAAAAAAAAAAAAAAAAAAA==', '+/+/+/+/+/+/+/+/+/+/+w=='])
    t.is(judge(withValue('Sec-WebSocket-Key', key)), null, key);
  for (const key of [
    'AAAAAAAAAAAAAAAAAAAAA==',
    'AAAAAAAAAAAAAAAAAAAAAAA==',
    'AAAAAAAAAAAAAAAAAAAAAAAA',
    '',
    '-_AAAAAAAAAAAAAAAAAAAA==',
  ])
    t.is(judge(withValue('Sec-WebSocket-Key', key)), 400, key);
});

test('another method, protocol or version of HTTP is 400', (t) => {
  t.is(judge(good, { method: 'POST' }), 400);
  t.is(judge(good, { httpVersion: '1.0' }), 400);
  t.is(judge(withValue('Upgrade', 'h2c')), 400);
  t.is(judge(withValue('Upgrade', 'websockets')), 400);
});

test('a body is 400, whatever its length is called', (t) => {
  t.is(judge([...good, ['Content-Length', '1']]), 400);
  t.is(judge([...good, ['Content-Length', '00']]), null);
  t.is(judge([...good, ['Transfer-Encoding', 'chunked']]), 400);
});

test('subprotocols that are no list of different tokens are 400', (t) => {
  for (const protocols of ['', 'a,', ',a', 'a,,b', 'a b', 'a@b', '"a"', 'a, a'])
    t.is(judge([...good, ['Sec-WebSocket-Protocol', protocols]]), 400, protocols);
});

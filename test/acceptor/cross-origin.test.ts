import test from 'ava';
import { type CrossOriginOptions, crossOrigin } from '../../src/acceptor/cross-origin.ts';

const wanted = 'https://chat.example.com';
const offer = { methods: 'GET, POST', headers: 'Authorization' };
const rule = (allowed: readonly string[] | null, more: Partial<CrossOriginOptions> = {}) =>
  crossOrigin({ allowed, offer, credentials: false, ...more });
const from = (origin: string, ...more: readonly string[]) => ['Host', 'x', 'Origin', origin, ...more];
const none = ['Host', 'x'];

test('where any origin may come every answer says *, whoever asks, and does not vary', (t) => {
  for (const headers of [none, from(wanted), from('null')])
    t.deepEqual(rule(null).headersFor(headers), {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Expose-Headers': 'Retry-After',
    });
});

test('with a list an answer names the origin as it came, and every answer varies', (t) => {
  const { headersFor } = rule([wanted, 'https://*.example.org', 'null', 'file://']);
  for (const origin of [
    wanted,
    `${wanted}:443`,
    'HTTPS://Chat.Example.COM',
    'https://a.example.org',
    'null',
    'file://',
  ])
    t.like(headersFor(from(origin)), { Vary: 'Origin', 'Access-Control-Allow-Origin': origin });
  for (const headers of [none, from('https://evil.example'), from(''), from(wanted, 'Origin', wanted)])
    t.deepEqual(headersFor(headers), { Vary: 'Origin' });
  t.deepEqual(rule([]).headersFor(from(wanted)), { Vary: 'Origin' });
});

test('credentials go with a listed origin alone: neither with * nor with an origin that many pages share', (t) => {
  const key = 'Access-Control-Allow-Credentials';
  const credentials = true;
  const listed = rule([wanted, 'null', 'file://'], { credentials });
  t.is(listed.headersFor(from(wanted))[key], 'true');
  for (const origin of ['null', 'file://', 'https://evil.example'])
    t.is(listed.headersFor(from(origin))[key], undefined);
  t.is(rule(null, { credentials }).headersFor(from(wanted))[key], undefined);
  t.is(rule([wanted]).headersFor(from(wanted))[key], undefined);
});

test('a preflight is told what may be asked for, and of private networks where it asks', (t) => {
  const { preflight } = rule([wanted]);
  t.deepEqual(preflight(from(wanted)), {
    type: 'reply',
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': 'GET, POST',
      'Access-Control-Allow-Headers': 'Authorization',
      'Access-Control-Max-Age': '7200',
    },
    body: '',
  });
  const asking = preflight(from(wanted, 'Access-Control-Request-Private-Network', 'true'));
  t.is(asking.headers['Access-Control-Allow-Private-Network'], 'true');
});

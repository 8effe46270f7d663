import test from 'ava';
import { isOwnHost, isOwnOrigin, isOwnSite } from '../../src/admin/admin-routes.ts';

test('addresses and localhost are names of the relay, with and without a port', (t) => {
  for (const host of [
    '127.0.0.1',
    '127.0.0.1:55002',
    'localhost',
    'LOCALHOST:1',
    '[::1]:55002',
    '[::1]',
    '10.1.2.3:80',
  ])
    t.true(isOwnHost(host, []), host);
});

test('a name that the DNS may point anywhere is none of them unless it is configured', (t) => {
  for (const host of [
    undefined,
    '',
    'evil.example',
    'evil.example:55002',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'a@localhost',
    'localhost:1:2',
    '[localhost]',
  ])
    t.false(isOwnHost(host, ['relay-1.internal']), String(host));
  t.true(isOwnHost('Relay-1.internal:9', ['relay-1.internal']));
  t.true(isOwnHost('relay-1.internal.', ['relay-1.internal']));
});

test('only a page of the very port may ask, and whoever names no page', (t) => {
  t.true(isOwnOrigin(undefined, 'localhost:55002'));
  t.true(isOwnOrigin('http://localhost:55002', 'localhost:55002'));
  t.false(isOwnOrigin('http://localhost:55003', 'localhost:55002'));
  t.false(isOwnOrigin('http://evil.example', 'localhost:55002'));
  t.false(isOwnOrigin('null', 'localhost:55002'));
});

test('a browser that says the request is of another site is believed, but for a followed link', (t) => {
  t.true(isOwnSite(undefined, undefined));
  t.true(isOwnSite('same-origin', 'cors'));
  t.true(isOwnSite('none', 'navigate'));
  t.true(isOwnSite('cross-site', 'navigate'));
  t.false(isOwnSite('cross-site', 'no-cors'));
  t.false(isOwnSite('same-site', 'cors'));
});

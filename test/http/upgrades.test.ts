import test from 'ava';
import { asksForWebSocket, hasBody, hasToken } from '../../src/http/upgrades.ts';

test('a WebSocket is asked for by a GET that names it in Upgrade, and upgrade in Connection', (t) => {
  const asks = (upgrade: string, method = 'GET', connection = 'Upgrade') =>
    asksForWebSocket({ method, headers: { upgrade, connection } });
  for (const upgrade of ['websocket', 'WebSocket', 'h2c, websocket', 'websocket,TLS/1.2', ' , websocket'])
    t.true(asks(upgrade), upgrade);
  for (const upgrade of ['h2c', 'websockets', 'websocket/13', 'web socket', ''])
    t.false(asks(upgrade), upgrade);
  t.true(asks('websocket', 'GET', 'keep-alive, UPGRADE'));
  for (const method of ['POST', 'HEAD', 'OPTIONS', 'get']) t.false(asks('websocket', method), method);
  t.false(asks('websocket', 'GET', 'keep-alive'));
  t.false(asksForWebSocket({ method: 'GET', headers: { connection: 'upgrade' } }));
});

test('a body is one of a length above 0, or in chunks', (t) => {
  for (const length of ['0', '00', undefined])
    t.false(hasBody({ headers: length === undefined ? {} : { 'content-length': length } }), length);
  for (const length of ['1', '10', '01']) t.true(hasBody({ headers: { 'content-length': length } }), length);
  t.true(hasBody({ headers: { 'transfer-encoding': 'chunked' } }));
});

test('a word of a list is found whole, in any case', (t) => {
  t.true(hasToken('a, B ,c', 'b'));
  t.false(hasToken('ab', 'a'));
  t.false(hasToken(undefined, 'a'));
});

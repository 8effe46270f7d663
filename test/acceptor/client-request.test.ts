import test from 'ava';
import { clientRequest, cookieValue } from '../../src/acceptor/client-request.ts';

test('the request is kept as it came, without what is about the connection', (t) => {
  const kept = ['User-Agent', 'a', 'COOKIE', 'b', 'X-Two', '1', 'x-two', '2', 'Authorization', 'Basic c'];
  const dropped = [
    ...['Host', 'h', 'Connection', 'Upgrade, X-Named', 'Upgrade', 'websocket', 'x-named', 'n'],
    ...['Keep-Alive', 'k', 'TE', 't', 'Transfer-Encoding', 'chunked', 'Content-Length', '1', 'Expect', 'e'],
    ...['Proxy-Authorization', 'p', 'Proxy-Connection', 'p', 'Trailer', 't', 'HTTP2-Settings', 's'],
    ...['Sec-WebSocket-Key', 'k', 'sec-websocket-version', '13', 'Sec-WebSocket-Protocol', 'p'],
  ];
  t.deepEqual(
    clientRequest({ method: 'GET', url: '/a%2Fb?c', headers: {}, rawHeaders: [...dropped, ...kept] }, true),
    {
      method: 'GET',
      target: '/a%2Fb?c',
      headers: [
        ['User-Agent', 'a'],
        ['COOKIE', 'b'],
        ['X-Two', '1'],
        ['x-two', '2'],
        ['Authorization', 'Basic c'],
      ],
    },
  );
});

const upgrade = ['Sec-WebSocket-Protocol', 'pusu, bearer, a.b.c'];
const headersOf = (rawHeaders: readonly string[], cookies = true) =>
  clientRequest({ url: '/', headers: {}, rawHeaders: [...rawHeaders] }, cookies).headers;

test('a token among the subprotocols stands where other clients put it, behind one that is there', (t) => {
  t.deepEqual(headersOf(upgrade), [['Authorization', 'Bearer a.b.c']]);
  t.deepEqual(headersOf([...upgrade, 'authorization', 'Basic x']), [['authorization', 'Basic x']]);
  t.deepEqual(headersOf(['Sec-WebSocket-Protocol', 'bearer']), []);
});

test('a token that no header can carry is not put into one', (t) => {
  for (const token of ['a%00b', 'a%0D%0AX-Evil:1', '%7F', '%E2%82%AC', '%C3%A9'])
    t.deepEqual(headersOf(['Sec-WebSocket-Protocol', `bearer, ${token}`]), [], token);
  t.deepEqual(headersOf(['Sec-WebSocket-Protocol', 'bearer, a%20b']), [['Authorization', 'Bearer a b']]);
});

test('cookies that may not count are not passed on', (t) => {
  t.deepEqual(headersOf(['cookie', 'a=b', 'X', 'y'], false), [['X', 'y']]);
});

test('the cookie of a name is found among others, without quotes, decoded once', (t) => {
  const value = (header: string) => cookieValue('sid', ['Host', 'x', 'Cookie', header]);
  t.is(value('sid=a.b.c'), 'a.b.c');
  t.is(value('a=b; sid=x=y;c=d'), 'x=y');
  t.is(value(' sid = "quoted" '), 'quoted');
  t.is(value('sid=a%20b%2525'), 'a b%25');
  t.is(value('sid=first; sid=second'), 'first', 'that of the longest path');
  for (const header of ['', 'sid', 'sid=', 'sid=%zz', 'xsid=a', 'SID=a', 'a=sid=b'])
    t.is(value(header), undefined, header);
  t.is(cookieValue('sid', ['Host', 'x']), undefined);
  t.is(cookieValue('sid', ['Cookie', 'a=b', 'cookie', 'sid=c']), 'c', 'in a line of its own');
});

import test, { type ExecutionContext } from 'ava';
import { rawExchange } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';

// Requests that Node reads and HTTP does not allow, at the doors and at the admin port: none is served, all have an
// answer in words, and the connection ends.

const host = 'Host: localhost\r\n';
const chunked = 'Transfer-Encoding: chunked\r\n';
const body = '\r\n2\r\nhi\r\n0\r\n\r\n';

const faulty: readonly (readonly [what: string, request: string, status: number, why: RegExp])[] = [
  [
    'chunks in HTTP/1.0',
    `POST /t HTTP/1.0\r\n${host}${chunked}${body}`,
    400,
    /HTTP\/1\.0 has no Transfer-Encoding/,
  ],
  [
    'chunks in HTTP/1.0, to be kept alive',
    `POST /t HTTP/1.0\r\n${host}Connection: keep-alive\r\n${chunked}${body}`,
    400,
    /HTTP\/1\.0 has no Transfer-Encoding/,
  ],
  ['HTTP/2.0', `GET /t HTTP/2.0\r\n${host}\r\n`, 505, /HTTP\/1\.1/],
  ['HTTP/2.0 without a host', 'GET /t HTTP/2.0\r\n\r\n', 505, /HTTP\/1\.1/],
  ['HTTP/0.9', 'GET /t HTTP/0.9\r\n\r\n', 505, /HTTP\/1\.1/],
  ['no host', 'GET /t HTTP/1.1\r\n\r\n', 400, /Exactly one Host header/],
  ['two hosts', `GET /t HTTP/1.1\r\n${host}Host: evil.example\r\n\r\n`, 400, /Exactly one Host header/],
  [
    'two hosts in HTTP/1.0',
    `GET /t HTTP/1.0\r\n${host}Host: evil.example\r\n\r\n`,
    400,
    /Exactly one Host header/,
  ],
  [
    'another expectation',
    `POST /t HTTP/1.1\r\n${host}Expect: x\r\n${chunked}${body}`,
    417,
    /expectation failed/,
  ],
  ['another coding', `POST /t HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n${body}`, 501, /coding/],
  ['a tunnel', `CONNECT a:1 HTTP/1.1\r\n${host}\r\n`, 400, /An upgrade must be a GET request/],
];

const open = (t: ExecutionContext) => startTestRelay(t, { doors: { pinghub: {}, pusu: {} } });

for (const [what, request, status, why] of faulty)
  test.serial(`${what}: ${status} at every port, and the end`, async (t) => {
    const relay = await open(t);
    for (const port of ['pinghub', 'pusu', 'admin']) {
      const answer = await rawExchange(t, relay.port(port), request);
      t.is(Number(answer.slice(9, 12)), status, port);
      t.regex(answer, /\r\nConnection: close\r\n/, port);
      const words = answer.slice(answer.indexOf('\r\n\r\n') + 4);
      t.regex(words, /^Error: .*\.\n$/, port);
      t.regex(words, why, port);
    }
    t.is(relay.accounting.attempts, 0);
  });

import test, { type ExecutionContext } from 'ava';
import { connectRaw } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';

// Bodies that are announced before they are sent.

const open = (t: ExecutionContext): Promise<TestRelay> =>
  startTestRelay(t, { doors: { pinghub: {}, pusu: {} }, limits: { message: '1KiB' } });

const post = (path: string, length: number, more = '') =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${more}Content-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`;

for (const [port, path, limit] of [
  ['pinghub', '/t', 1024],
  ['admin', '/observer/actions', 4096],
] as const) {
  test(`${port}: a body that says that it is over the limit gets the 413 and no invitation`, async (t) => {
    const relay = await open(t);
    const client = await connectRaw(t, relay.port(port));
    client.send(post(path, limit + 1));
    const answer = await client.until('too large.\n');
    t.regex(answer, /^HTTP\/1\.1 413 [\s\S]*\r\nConnection: close\r\n/);
    // The sender that had no answer to wait for: what it sends is read, so that it sees the answer.
    client.send('x'.repeat(limit + 1));
    client.socket.end();
    t.is(await client.end(), answer);
  });

  test(`${port}: a body of the limit is invited`, async (t) => {
    const relay = await open(t);
    const client = await connectRaw(t, relay.port(port));
    client.send(post(path, limit, 'Connection: close\r\n'));
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('x'.repeat(limit));
    const answer = await client.end();
    t.regex(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 (?!413)\d+ /);
  });
}

test('a request to upgrade to another protocol is not invited to send a body beyond the limit', async (t) => {
  const relay = await open(t);
  const client = await connectRaw(t, relay.port('pinghub'));
  client.send(post('/t', 1025, 'Connection: Upgrade\r\nUpgrade: h2c\r\n'));
  t.regex(await client.until('too large.\n'), /^HTTP\/1\.1 413 /);
});

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { type Bounds, lingeringEnd } from '../../src/http/last-answer.ts';

const MiB = 1024 * 1024;
const generous: Bounds = { time: 60_000, silence: 60_000, bytes: 64 * MiB };

/** Both ends of a connection. */
async function pair(t: ExecutionContext): Promise<{ client: Socket; served: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const accepted = once(server, 'connection');
  const client = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true });
  const [served] = (await accepted) as [Socket];
  t.teardown(() => {
    client.destroy();
    served.destroy();
  });
  for (const socket of [client, served]) socket.on('error', () => undefined);
  return { client, served };
}

test('the last words and the end arrive while the client is still sending, and what it sends is taken', async (t) => {
  const { client, served } = await pair(t);
  const got: Buffer[] = [];
  client.on('data', (chunk: Buffer) => got.push(chunk));
  const ended = once(client, 'end');
  lingeringEnd(served, 'last words', generous);
  await ended;
  t.is(Buffer.concat(got).toString(), 'last words');
  const sent = new Promise((resolve) => client.end(Buffer.alloc(10 * MiB), resolve as () => void));
  await Promise.all([sent, once(served, 'close')]);
  t.is(served.bytesRead, 10 * MiB);
});

for (const [what, bounds] of [
  ['more bytes than it may', { ...generous, bytes: 1 * MiB }],
  ['for longer than it may', { ...generous, time: 100 }],
] as const)
  test(`who sends on ${what} is cut off`, async (t) => {
    const { client, served } = await pair(t);
    const closed = once(served, 'close');
    lingeringEnd(served, 'last words', bounds);
    const more = () => {
      if (!client.destroyed) client.write(Buffer.alloc(64 * 1024), () => setImmediate(more));
    };
    more();
    await closed;
    t.true(served.bytesRead < 64 * MiB);
  });

test('who says nothing is waited for no longer than silence may last', async (t) => {
  const { served } = await pair(t);
  const closed = once(served, 'close');
  lingeringEnd(served, 'last words', { ...generous, silence: 50 });
  await closed;
  t.pass();
});

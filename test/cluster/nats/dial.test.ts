import { createServer, type Socket } from 'node:net';
import test from 'ava';
import { dialAny } from '../../../src/cluster/nats/dial.ts';
import { Arrivals } from '../../support/arrivals.ts';

const info = (more: object) =>
  `INFO ${JSON.stringify({ server_id: 'a', version: '2.10.0', headers: true, max_payload: 1024, proto: 1, ...more })}\r\n`;

for (const [what, words] of [
  ['says nothing', ''],
  ['says half a word', 'INFO {"server_id"'],
  ['asks for TLS and does not speak it', info({ tls_required: true })],
  ['never answers', info({})],
] as const) {
  test(`a server that ${what} is given up, and no connection to it stays open`, async (t) => {
    const closed = new Arrivals<Socket>('closed connections');
    const server = createServer((socket) => {
      socket.resume().on('error', () => undefined);
      socket.on('close', () => closed.push(socket));
      socket.write(words);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const settings = {
      options: () => (words.includes('tls_required') ? { tls: {} } : {}),
    } as unknown as Parameters<typeof dialAny>[0];
    await t.throwsAsync(dialAny(settings, [`127.0.0.1:${port}`]), { message: /timeout/i });
    await closed.next();
    t.is(closed.all.length, 1);
  });
}

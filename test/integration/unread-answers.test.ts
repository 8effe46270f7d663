import test from 'ava';
import { eventually } from '../support/arrivals.ts';
import { connectRaw } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';

/** Long enough that what one turn reads, 2 MiB, is fewer requests than may wait. */
const HEADERS = `Host: a\r\nX: ${'x'.repeat(1400)}\r\n`;

const REQUESTS: readonly (readonly [what: string, door: string, request: string])[] = [
  ['pages', 'pinghub', `GET /news HTTP/1.1\r\n${HEADERS}\r\n`],
  ['POSTs', 'pinghub', `POST /news HTTP/1.1\r\n${HEADERS}Content-Length: 1\r\n\r\nx`],
  ['refusals', 'wspubsub', `GET /x HTTP/1.1\r\n${HEADERS}\r\n`],
];

for (const [what, door, request] of REQUESTS)
  test(`a client that asks ${door} for ${what} and never reads the answers is let go`, async (t) => {
    const relay = await startTestRelay(t, {
      doors: { pinghub: {}, wspubsub: { apikeys: { list: [{ domain: 'd', key: 'k' }] } } },
      limits: { write_stall: '1s' },
    });
    const before = relay.relay.system.processes.size;
    const client = await connectRaw(t, relay.port(door));
    const { socket } = client;
    socket.pause();
    const requests = Buffer.from(request.repeat(100));
    const send = () => {
      while (socket.writable && socket.write(requests));
    };
    socket.on('drain', send);
    send();
    await client.end();
    t.like(await relay.log.find(({ msg }) => msg === 'not admitted'), { door, why: 'write-stall' });
    t.is(relay.relay.refusals['write-stall'], 1);
    await eventually(() => relay.relay.system.processes.size <= before, 'no process is left');
  });

for (const path of ['/observer', '/metrics'])
  test(`a client that asks the admin port for ${path} and never reads the answers is let go`, async (t) => {
    const relay = await startTestRelay(t, { doors: { pinghub: {} }, limits: { write_stall: '1s' } });
    const { socket } = await connectRaw(t, relay.port('admin'));
    socket.pause();
    // In one read, of which no request is left half: Node itself ends a connection that does not finish its request.
    const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    socket.write(request.repeat(700));
    await eventually(() => {
      socket.write(request);
      return socket.destroyed;
    }, 'the connection has ended');
    t.true(socket.bytesRead < 1024 * 1024);
  });

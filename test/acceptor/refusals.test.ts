import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { MOST_HEARD, TurnedAway } from '../../src/acceptor/refusals.ts';

/** Both ends of connections. */
async function pairs(t: ExecutionContext, count: number): Promise<[client: Socket, server: Socket][]> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const made: [Socket, Socket][] = [];
  for (let n = 0; n < count; n++) {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [own] = (await once(server, 'connection')) as [Socket];
    t.teardown(() => client.destroy());
    t.teardown(() => own.destroy());
    made.push([client, own]);
  }
  return made;
}

async function all(client: Socket): Promise<string> {
  let text = '';
  client.on('data', (chunk) => {
    text += String(chunk);
  });
  await once(client, 'close');
  return text;
}

test('a connection that is refused is heard, and the oldest gives way to the one above the bound', async (t) => {
  const turnedAway = new TurnedAway(60_000);
  const made = await pairs(t, MOST_HEARD + 1);
  const [oldest, ...others] = made;
  if (oldest === undefined) throw new Error('no connection');
  const got = all(oldest[0]);
  for (const [, own] of made) turnedAway.add(own, 'full');
  t.regex(await got, /^HTTP\/1\.1 503 [\s\S]*Error: full\.\n$/);
  for (const [, own] of others) {
    t.true(own.writable);
    t.is(turnedAway.why(own), 'full');
  }
  t.is(turnedAway.why(oldest[1]), 'full', 'it is no client that was admitted');

  const [gone, next] = others;
  gone?.[0].destroy();
  if (gone !== undefined) await once(gone[1].resume(), 'close');
  const [again] = await pairs(t, 1);
  if (again !== undefined) turnedAway.add(again[1], 'address-rate');
  t.true(next?.[1].writable, 'there was room again');
});

test('who asks for nothing is refused all the same', async (t) => {
  const [pair] = await pairs(t, 1);
  if (pair === undefined) throw new Error('no connection');
  const turnedAway = new TurnedAway(1);
  const got = all(pair[0]);
  turnedAway.add(pair[1], 'full');
  t.regex(await got, /^HTTP\/1\.1 503 [\s\S]*Connection: close\r\n[\s\S]*Error: full\.\n$/);
});

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

test('a connection that is refused is heard, and the one above the bound is refused at once', async (t) => {
  const turnedAway = new TurnedAway(60_000);
  const made = await pairs(t, MOST_HEARD + 1);
  const [last, ...others] = made.toReversed();
  for (const [, own] of others) {
    t.true(turnedAway.add(own, 'full'));
    t.is(turnedAway.why(own), 'full');
  }
  if (last === undefined) throw new Error('no connection');
  const got = all(last[0]);
  t.false(turnedAway.add(last[1], 'full'));
  t.is(turnedAway.why(last[1]), undefined);
  t.regex(await got, /^HTTP\/1\.1 503 [\s\S]*Error: full\.\n$/);

  const [gone] = others;
  gone?.[0].destroy();
  if (gone !== undefined) await once(gone[1].resume(), 'close');
  const [again] = await pairs(t, 1);
  if (again !== undefined) t.true(turnedAway.add(again[1], 'address-rate'), 'there is room again');
});

test('who asks for nothing is refused all the same', async (t) => {
  const [pair] = await pairs(t, 1);
  if (pair === undefined) throw new Error('no connection');
  const turnedAway = new TurnedAway(1);
  const got = all(pair[0]);
  turnedAway.add(pair[1], 'full');
  t.regex(await got, /^HTTP\/1\.1 503 [\s\S]*Connection: close\r\n[\s\S]*Error: full\.\n$/);
});

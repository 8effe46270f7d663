import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { Arrivals } from '../support/arrivals.ts';
import { startTestRelay } from '../support/relay.ts';

interface ScriptedServer {
  readonly address: string;
  /** Whether it answers pings. */
  answers: boolean;
  /** Whether it sends something for each heartbeat of the relay. */
  sends: boolean;
  /** Heartbeats of the relay. */
  readonly beats: Arrivals<string>;
}

/** As much of a server of NATS as a link needs. */
async function scriptedServer(t: ExecutionContext): Promise<ScriptedServer> {
  const info = { server_id: 'a', version: '2.10.0', headers: true, max_payload: 1_048_576, proto: 1 };
  const scripted = { address: '', answers: true, sends: true, beats: new Arrivals<string>('heartbeats') };
  const server = createServer((socket: Socket) => {
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    let subscribed = '';
    createInterface(socket).on('line', (line) => {
      const [word, subject, id] = line.split(' ');
      if (word === 'PING' && scripted.answers) socket.write('PONG\r\n');
      if (word === 'SUB') subscribed = `${subject} ${id}`;
      if (word !== 'HPUB' && word !== 'PUB') return;
      scripted.beats.push(line);
      if (scripted.sends) socket.write(`MSG ${subscribed} 1\r\nx\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  if (typeof address === 'object') scripted.address = `127.0.0.1:${address?.port}`;
  return scripted;
}

test('a server whose pong is late stays linked as long as something comes from it', async (t) => {
  const server = await scriptedServer(t);
  const relay = await startTestRelay(t, {
    doors: {},
    cluster: { backplane: 'nats', servers: [server.address] },
    network: { heartbeat: '100ms', timeout: '300ms' },
  });
  await relay.log.find(({ msg }) => msg === 'nats connected');
  server.answers = false;
  // More than the timeout has.
  await server.beats.count(() => true, server.beats.all.length + 10);
  t.is(
    relay.log.all.find(({ msg }) => msg === 'nats disconnected'),
    undefined,
  );
  server.sends = false;
  const end = await relay.log.find(({ msg }) => msg === 'nats disconnected');
  t.is(end['why'], 'silent');
});

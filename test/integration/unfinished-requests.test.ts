import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { freePorts, SECRET } from '../support/cluster.ts';
import { connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { servedTime } from '../support/served-time.ts';

/** Connections at once, each of which asks for something and does not go on. */
const CLIENTS = 200;

const peer = 'fanfare.peer.1';

async function relayOfAllPorts(t: ExecutionContext): Promise<TestRelay> {
  const [port, nobody] = await freePorts(2);
  return startTestRelay(t, {
    relays: [`127.0.0.1:${port}`, `127.0.0.1:${nobody}`],
    network: { host: '127.0.0.1', port, secret: SECRET },
    limits: { handshake: '500ms', authorise: '500ms' },
    authenticator: 'PasswordAuthenticator',
    passwords: { secret: ['*'] },
    doors: { pusu: {}, wspubsub: { apikeys: { list: [{ domain: 'd', key: 'k' }] } }, pinghub: {} },
  });
}

const post = (headers: string) => `POST /t HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const basic = `Authorization: Basic ${Buffer.from(':secret').toString('base64')}\r\n`;

const unfinished: readonly (readonly [what: string, ports: readonly string[], bytes: string])[] = [
  [
    'an upgrade that names its subprotocol twice',
    ['network', 'pusu', 'wspubsub'],
    upgradeRequest({ 'Sec-WebSocket-Protocol': [peer, peer] }),
  ],
  [
    'an upgrade with an empty subprotocol among others',
    ['network', 'pinghub'],
    upgradeRequest({ 'Sec-WebSocket-Protocol': `${peer},,${peer}` }),
  ],
  ['nothing', ['network', 'pusu'], ''],
  ['half a head', ['network', 'pinghub', 'admin'], 'GET /t HTTP/1.1\r\nHost: x\r\nA: '],
  [
    'an upgrade, and then nothing',
    ['network', 'pusu', 'pinghub'],
    upgradeRequest({ 'Sec-WebSocket-Protocol': peer }),
  ],
  [
    'an upgrade and half a frame',
    ['network', 'pusu', 'pinghub'],
    `${upgradeRequest({ 'Sec-WebSocket-Protocol': peer })}\x82`,
  ],
  [
    'an upgrade to something that nobody may read',
    ['wspubsub'],
    upgradeRequest({}, 'GET /ws/sub/d/t HTTP/1.1'),
  ],
  ['the head of a POST and no body', ['pinghub', 'admin'], post('Content-Length: 5\r\n')],
  ['the head of a POST, a credential and no body', ['pinghub'], post(`${basic}Content-Length: 5\r\n`)],
  [
    'a POST of a chunk that does not end',
    ['pinghub', 'admin'],
    `${post('Transfer-Encoding: chunked\r\n')}5\r\nab`,
  ],
  ['a CONNECT', ['network', 'pusu', 'pinghub', 'admin'], 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'],
];

for (const [what, ports, bytes] of unfinished) {
  for (const port of ports) {
    test(`${CLIENTS} clients at ${port} that send ${what} are let go, and leave no process behind`, async (t) => {
      const relay = await relayOfAllPorts(t);
      const { processes } = relay.relay.system;
      const before = processes.size;
      const time = servedTime(t);
      const clients = Array.from({ length: CLIENTS }, async () => {
        const client = await connectRaw(t, relay.port(port)).catch(() => undefined);
        client?.send(Buffer.from(bytes, 'latin1'));
        return client?.end();
      });
      await Promise.all(clients);
      await eventually(() => processes.size <= before, 'their processes have ended');
      t.true(time() < 25_000, 'well before Node by itself looks for late requests');
    });
  }
}

import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import test from 'ava';
import { takenByConnection } from '../../src/http/ephemeral-ports.ts';
import { describeFailure } from '../../src/http/port.ts';

const range = '32768\t60999\n';
const line = (port: number, state: string) =>
  `   0: 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 0100007F:1F90 ${state} 00000000:00000000 00:00000000\n`;

test('a port that an outgoing connection has is told from one where somebody listens', (t) => {
  t.regex(
    takenByConnection(55000, { sockets: line(40000, '0A') + line(55000, '01'), range }) ?? '',
    /^by an outgoing connection of this machine, whose ports the system takes from 32768 to 60999: reserve 55000 by sysctl net\.ipv4\.ip_local_reserved_ports$/,
  );
  t.is(takenByConnection(55000, { sockets: line(55000, '0A') + line(55000, '01'), range }), null);
  t.is(takenByConnection(55000, { sockets: line(55001, '01'), range }), null);
  t.is(takenByConnection(8081, { sockets: line(8081, '01'), range }), null, 'outside of the range');
  t.is(takenByConnection(55000, { sockets: '', range: '' }), null, 'another system');
  for (const [port, isIn] of [
    [32767, false],
    [32768, true],
    [60999, true],
    [61000, false],
  ] as const)
    t.is(takenByConnection(port, { sockets: line(port, '01'), range }) !== null, isIn, String(port));
});

const isLinux = process.platform === 'linux';

(isLinux ? test : test.skip)('the words of a port that could not be had say so', async (t) => {
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  await new Promise((resolve) => client.once('connect', resolve));
  const own = client.localPort as number;
  const blocked = createServer().listen(own, '127.0.0.1');
  const error = await new Promise<Error & { code?: string }>((resolve) => blocked.once('error', resolve));
  t.is(error.code, 'EADDRINUSE');
  t.regex(
    describeFailure(error, { host: '127.0.0.1', port: own }),
    /^cannot listen on 127\.0\.0\.1:\d+: the address is in use, by an outgoing connection of this machine, .* reserve \d+ by sysctl/,
  );
  const taken = createServer().listen(port, '127.0.0.1');
  const other = await new Promise<Error>((resolve) => taken.once('error', resolve));
  t.is(
    describeFailure(other, { host: '127.0.0.1', port }),
    `cannot listen on 127.0.0.1:${port}: the address is in use`,
  );
});

test('the file of reserved ports names those of the configuration', (t) => {
  const reserved = /^net\.ipv4\.ip_local_reserved_ports = (.*)$/m.exec(
    readFileSync('rel/sysctl/60-fanfare.conf', 'utf8'),
  );
  const settings = readFileSync('config/relay.yaml', 'utf8');
  const inRange = [...settings.matchAll(/(?:^|[\s{,])(?:metrics_)?port: (\d+)/g)]
    .map(([, port]) => Number(port))
    .filter((port) => port >= 32768 && port <= 60999);
  t.true(inRange.length >= 3);
  const [from = 0, to = 0] = (reserved?.[1] ?? '').split('-').map(Number);
  for (const port of inRange) t.true(port >= from && port <= to, String(port));
});

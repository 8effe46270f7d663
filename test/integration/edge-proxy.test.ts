import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { selfSigned } from '../support/certificate.ts';
import { proxyV2 } from '../support/proxy-header.ts';
import { ask, clientFrame, connectRaw, rawExchange, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

type Settings = Parameters<typeof startTestRelay>[1];

const trusted = { trusted_proxies: ['127.0.0.1'] };
const proxied = { ...trusted, proxy_protocol: true };
const v1 = (address: string): string => `PROXY TCP4 ${address} 192.0.2.200 5000 80\r\n`;
const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });

const open = (t: ExecutionContext, edge: Record<string, unknown>, more: Settings = {}): Promise<TestRelay> =>
  startTestRelay(t, { doors: { pinghub: edge }, ...more });

/** What the relay says of a connection's end. */
async function addressOf(relay: TestRelay): Promise<unknown> {
  return (await relay.closed())['address'];
}

test('X-Forwarded-For of a trusted proxy is the address in the log, that of anybody else is not', async (t) => {
  for (const [edge, wanted] of [
    [trusted, '192.0.2.1'],
    [{}, '127.0.0.1'],
    [{ trusted_proxies: ['10.0.0.1'] }, '127.0.0.1'],
  ] as const) {
    const relay = await open(t, edge);
    const client = await connectWs(t, relay.port('pinghub'), '/t', { headers: from('1.1.1.1, 192.0.2.1') });
    await client.leave();
    t.is(await addressOf(relay), wanted);
  }
});

test('clients behind a proxy are counted each by its own address, and leave with their connection', async (t) => {
  const relay = await open(t, trusted, { limits: { connections_per_address: 2 } });
  const port = relay.port('pinghub');
  const one = await connectWs(t, port, '/t', { headers: from('192.0.2.1') });
  await connectWs(t, port, '/t', { headers: from('192.0.2.1') });
  const { status, headers } = await refusedWs(t, port, '/t', { headers: from('192.0.2.1') });
  t.deepEqual([status, headers['retry-after']], [429, '1']);
  t.like(
    relay.log.all.find(({ msg }) => msg === 'not admitted'),
    { why: 'address-full', address: '192.0.2.1' },
  );
  await connectWs(t, port, '/t', { headers: from('192.0.2.2') });
  t.is((await ask(port, '/t', { method: 'POST', headers: from('192.0.2.1'), body: 'x' })).status, 429);
  await one.leave();
  await relay.closed();
  await connectWs(t, port, '/t', { headers: from('192.0.2.1') });
  t.is(relay.relay.refusals['address-full'], 2);
});

test('a posting client behind a proxy is counted while it posts, and its rate is its own', async (t) => {
  const relay = await open(t, trusted, {
    limits: { connections_per_address: 1, connection_rate_per_address: 3 },
  });
  const post = async (address: string) =>
    (await ask(relay.port('pinghub'), '/t', { method: 'POST', headers: from(address), body: 'x' })).status;
  let posted = 0;
  let status = await post('192.0.2.1');
  // On a busy machine the rate may allow some more meanwhile.
  for (; status === 200; posted++) status = await post('192.0.2.1');
  t.true(posted >= 3, `${posted}`);
  t.is(status, 429);
  t.is(await post('192.0.2.2'), 200);
  t.is(relay.relay.refusals['address-rate'], 1);
});

test('the proxy itself is not counted by its address', async (t) => {
  const relay = await open(t, trusted, { limits: { connections_per_address: 1, exempt: [] } });
  for (let n = 1; n <= 5; n++)
    await connectWs(t, relay.port('pinghub'), '/t', { headers: from(`192.0.2.${n}`) });
  const direct = await open(t, {}, { limits: { connections_per_address: 1, exempt: [] } });
  await connectWs(t, direct.port('pinghub'), '/t', { headers: from('192.0.2.1') });
  t.is((await refusedWs(t, direct.port('pinghub'), '/t', { headers: from('192.0.2.2') })).status, 429);
});

for (const [name, header] of [
  ['version 1', Buffer.from(v1('192.0.2.1'))],
  ['version 2', proxyV2('192.0.2.1')],
] as const) {
  test(`the PROXY header of a trusted proxy names the client: ${name}`, async (t) => {
    const relay = await open(t, proxied);
    const client = await connectRaw(t, relay.port('pinghub'));
    client.send(Buffer.concat([header, Buffer.from(upgradeRequest()), clientFrame('sent at once')]));
    await client.until('sent at once');
    client.send(clientFrame('and later'));
    await client.until('and later');
    client.socket.destroy();
    t.is(await addressOf(relay), '192.0.2.1');
  });

  test(`a PROXY header may come byte by byte: ${name}`, async (t) => {
    const relay = await open(t, proxied);
    const client = await connectRaw(t, relay.port('pinghub'));
    client.socket.setNoDelay(true);
    for (const byte of Buffer.concat([header, Buffer.from(upgradeRequest())])) {
      await new Promise((resolve) => client.socket.write(Buffer.from([byte]), resolve));
    }
    await client.until('101 Switching');
    client.send(clientFrame('x'));
    await client.until('\u0081\u0001x');
    client.socket.destroy();
    t.is(await addressOf(relay), '192.0.2.1');
  });
}

test('a connection of the proxy itself is served under its own address', async (t) => {
  const relay = await open(t, proxied);
  for (const header of [Buffer.from('PROXY UNKNOWN\r\n'), proxyV2('192.0.2.1', { command: 0x20 })]) {
    const client = await connectRaw(t, relay.port('pinghub'));
    client.send(Buffer.concat([header, Buffer.from(upgradeRequest())]));
    await client.until('101 Switching');
    client.socket.destroy();
    t.is(await addressOf(relay), '127.0.0.1');
  }
});

test('a trusted proxy must send the header, and in time', async (t) => {
  const relay = await open(t, proxied, { limits: { handshake: '50ms' } });
  const port = relay.port('pinghub');
  for (const bytes of [upgradeRequest(), 'PROXY TCP4 nonsense\r\n', '', 'PROXY TCP4 192.0.2.1 ']) {
    t.is(await rawExchange(t, port, bytes), '', JSON.stringify(bytes));
  }
  t.is(relay.relay.refusals['proxy-header'], 4);
  const early = await connectRaw(t, port);
  early.socket.end('PROXY ');
  t.is(await early.end(), '');
  t.is(relay.relay.refusals['proxy-header'], 5);
});

test('of anybody else a PROXY header is refused, and a connection without one is served as itself', async (t) => {
  const relay = await open(t, { trusted_proxies: ['192.0.2.99'], proxy_protocol: true });
  const port = relay.port('pinghub');
  for (const header of [Buffer.from(v1('192.0.2.1')), proxyV2('192.0.2.1')]) {
    t.regex(
      await rawExchange(t, port, Buffer.concat([header, Buffer.from(upgradeRequest())])),
      /^HTTP\/1\.1 400 /,
    );
  }
  const client = await connectWs(t, port, '/t', { headers: from('192.0.2.1') });
  await client.leave();
  t.is(await addressOf(relay), '127.0.0.1');
});

test('where no PROXY header is expected one is refused, from a trusted proxy too', async (t) => {
  const relay = await open(t, trusted);
  t.regex(
    await rawExchange(t, relay.port('pinghub'), v1('192.0.2.1') + upgradeRequest()),
    /^HTTP\/1\.1 400 /,
  );
});

test('clients that PROXY headers name are counted by their own address, before a request of theirs is read', async (t) => {
  const relay = await open(t, proxied, { limits: { connections_per_address: 1 } });
  const port = relay.port('pinghub');
  const one = await connectRaw(t, port);
  one.send(v1('192.0.2.1') + upgradeRequest());
  await one.until('101');
  t.regex(await rawExchange(t, port, v1('192.0.2.1')), /^HTTP\/1\.1 429 /);
  const two = await connectRaw(t, port);
  two.send(v1('192.0.2.2') + upgradeRequest());
  await two.until('101');
  one.socket.destroy();
  await relay.closed();
  const again = await connectRaw(t, port);
  again.send(v1('192.0.2.1') + upgradeRequest());
  await again.until('101');
  t.is(relay.relay.refusals['address-full'], 1);
});

test('a proxy behind another: the header names it, and its X-Forwarded-For the client', async (t) => {
  const relay = await open(t, { trusted_proxies: ['127.0.0.1', '10.0.0.0/8'], proxy_protocol: true });
  const client = await connectRaw(t, relay.port('pinghub'));
  client.send(v1('10.0.0.7') + upgradeRequest({ 'X-Forwarded-For': '192.0.2.1' }));
  await client.until('101');
  client.socket.destroy();
  t.is(await addressOf(relay), '192.0.2.1');
});

test('a PROXY header stands before TLS', async (t) => {
  const { cert, key, ca } = selfSigned(t);
  const relay = await open(t, { ...proxied, tls: { cert, key } });
  const raw = await connectRaw(t, relay.port('pinghub'));
  raw.socket.removeAllListeners('data');
  raw.send(v1('192.0.2.1'));
  const socket = connectTls({ socket: raw.socket, ca, host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  let got = '';
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString('latin1');
  });
  socket.write(upgradeRequest());
  await eventually(() => got.includes('101 Switching'), 'the upgrade');
  socket.write(clientFrame('x'));
  await eventually(() => got.includes('\u0081\u0001x'), 'the echo');
  socket.destroy();
  t.is(await addressOf(relay), '192.0.2.1');
});

test('whoever comes by a UNIX socket is believed where it is named', async (t) => {
  for (const [proxies, wanted] of [
    [['unix:'], '192.0.2.1'],
    [['0.0.0.0/0'], 'local'],
  ] as const) {
    const socket = join(temporaryFolder(t), 's');
    const relay = await open(t, { socket, trusted_proxies: proxies });
    const client = await connectWs(t, `ws+unix:${socket}:`, '/t', { headers: from('192.0.2.1') });
    await client.leave();
    t.is(await addressOf(relay), wanted);
  }
});

test('an authenticator is asked with the address of the client', async (t) => {
  const password = { authenticator: 'PasswordAuthenticator', passwords: { good: ['*'] } };
  const relay = await open(t, { ...trusted, ...password }, { limits: { failed_authorisations: 2 } });
  const post = async (address: string, credential: string) => {
    const headers = { ...from(address), authorization: `Bearer ${credential}` };
    return (await ask(relay.port('pinghub'), '/t', { method: 'POST', headers, body: 'x' })).status;
  };
  t.deepEqual(
    [await post('192.0.2.1', 'a'), await post('192.0.2.1', 'b'), await post('192.0.2.1', 'good')],
    [401, 401, 429],
  );
  t.is(await post('192.0.2.2', 'good'), 200);
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { selfSigned } from '../support/certificate.ts';
import { skipWithoutNats, startNats } from '../support/nats.ts';
import { writeCredentials } from '../support/nats-credentials.ts';
import { pusu, subscriber } from '../support/pusu-clients.ts';
import { isBalanced, startTestRelay, type TestRelay } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';

type Settings = Readonly<Record<string, unknown>>;

let count = 0;

function relay(
  t: ExecutionContext,
  address: string,
  cluster: Settings,
  doors: Readonly<Record<string, Settings>> = {},
): Promise<TestRelay> {
  return startTestRelay(t, {
    node: `n${++count}`,
    cluster: { backplane: 'nats', servers: [address], ...cluster },
    doors,
  });
}

/** Who has these settings is let in. */
async function comesIn(t: ExecutionContext, address: string, cluster: Settings): Promise<void> {
  const { log } = await relay(t, address, cluster);
  t.truthy(await log.find(({ msg }) => msg === 'nats connected'));
}

/** Who has these is not, says why, and does not give up. */
async function staysOut(t: ExecutionContext, address: string, cluster: Settings, why: RegExp): Promise<void> {
  const { log, relay: one } = await relay(t, address, cluster);
  const line = await log.find(({ msg }) => msg === 'nats not connected');
  t.regex(String(line['why']), why);
  t.false(one.nats?.network.stats.connected);
  for (const text of log.all.map((each) => JSON.stringify(each))) t.notRegex(text, /wrong secret/);
}

test('a user comes in with the password, and not with another', async (t) => {
  if (skipWithoutNats(t)) return;
  const { address } = await startNats(t, ['--user', 'relay', '--pass', 'right']);
  await comesIn(t, address, { user: 'relay', password: 'right' });
  await staysOut(t, address, { user: 'relay', password: 'wrong secret' }, /authorization/i);
  await staysOut(t, address, {}, /authorization/i);
});

test('a token opens', async (t) => {
  if (skipWithoutNats(t)) return;
  const { address } = await startNats(t, ['--auth', 'right']);
  await comesIn(t, address, { token: 'right' });
  await staysOut(t, address, { token: 'wrong secret' }, /authorization/i);
});

test('a file of credentials opens', async (t) => {
  if (skipWithoutNats(t)) return;
  const folder = temporaryFolder(t);
  const { config, credentials } = writeCredentials(folder);
  const { address } = await startNats(t, ['-c', config]);
  await comesIn(t, address, { credentials });
  await staysOut(t, address, {}, /authorization/i);
  await staysOut(t, address, { credentials: join(folder, 'none') }, /ENOENT/);
});

test('over TLS, both sides are who their certificates say', async (t) => {
  if (skipWithoutNats(t)) return;
  const [server, client] = [selfSigned(t), selfSigned(t)];
  const { address } = await startNats(t, [
    ...['--tlsverify', '--tlscert', server.cert, '--tlskey', server.key, '--tlscacert', client.cert],
  ]);
  await comesIn(t, address, { tls: { ca: server.cert, cert: client.cert, key: client.key } });
  await staysOut(t, address, { tls: { ca: server.cert } }, /./);
  await staysOut(t, address, { tls: { cert: client.cert, key: client.key } }, /certificate/i);
});

test('where TLS is required, a server without it is not used', async (t) => {
  if (skipWithoutNats(t)) return;
  const { address } = await startNats(t);
  await staysOut(t, address, { tls: { required: true } }, /tls/i);
  await comesIn(t, address, {});
});

test('a relay that may not use its subjects says so', async (t) => {
  if (skipWithoutNats(t)) return;
  const file = join(temporaryFolder(t), 'nats.conf');
  writeFileSync(
    file,
    'authorization: { users: [{ user: u, password: p, permissions: { publish: "a.>", subscribe: "a.>" } }] }\n',
  );
  const { address } = await startNats(t, ['-c', file]);
  const { log } = await relay(t, address, { user: 'u', password: 'p' });
  const { why } = await log.find(({ msg }) => msg === 'nats trouble');
  t.regex(String(why), /fanfare\.relays/);
  const { log: other } = await relay(t, address, { user: 'u', password: 'p', prefix: 'a.fanfare' });
  await other.find(({ msg }) => msg === 'nats connected');
  await (await relay(t, address, { user: 'u', password: 'p', prefix: 'a.fanfare' })).log.find(
    ({ msg }) => msg === 'linked',
  );
  t.false(other.all.some(({ msg }) => msg === 'nats trouble'));
});

test('a message longer than the server takes is counted, and the others get through', async (t) => {
  if (skipWithoutNats(t)) return;
  const file = join(temporaryFolder(t), 'nats.conf');
  writeFileSync(file, 'max_payload: 8192\n');
  const { address } = await startNats(t, ['-c', file]);
  const a = await relay(t, address, {}, { pusu: {} });
  const b = await relay(t, address, {}, { pusu: {} });
  await a.log.find(({ msg }) => msg === 'linked');
  const [publisher, listener] = [await pusu(t, a), await subscriber(t, b, 'c')];
  const frame = (content: string) => JSON.stringify({ type: 'publish', channel: 'c', content });
  const small = Array.from({ length: 20 }, (_, index) => frame(`${index} ${'x'.repeat(1000)}`));
  publisher.send(...small, frame('x'.repeat(8192)), frame('last'));
  t.deepEqual(await listener.take(21), [...small, frame('last')]);
  t.is(a.relay.nats?.network.stats.tooLarge, 1);
  t.is(a.accounting.dropped.undeliverable, 1);
  await eventually(() => isBalanced(a.accounting), 'everything is accounted for');
  t.is(a.relay.nats?.network.stats.sent, 21);
});

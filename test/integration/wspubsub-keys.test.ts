import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { runCommand } from '../command/run-command.ts';
import { eventually } from '../support/arrivals.ts';
import { ownPostgres, queryOn, testWithPostgres } from '../support/postgres.ts';
import { ask } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { configFile, packageRoot, runRelay, temporaryFolder } from '../support/relay-process.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const ddl = readFileSync(join(packageRoot, 'rel', 'sql', 'apikeys.sql'), 'utf8');
const pub = (key: string) => `/ws/pub/${key}/example.com/news`;
const sub = '/ws/sub/example.com/news';

/** As who was told to come back: a database that has just started may take longer than it is waited for. */
function isLetIn(t: ExecutionContext, port: number, path: string): Promise<boolean> {
  return connectWs(t, port, path).then(
    () => true,
    (error: Error) => {
      if (!error.message.endsWith(' 503')) throw error;
      return false;
    },
  );
}

/** The commands of an operator, who has the configuration that the relay has. */
function operator(t: ExecutionContext, apikeys: Readonly<Record<string, string>>) {
  const config = configFile(t, JSON.stringify({ apikeys }));
  return async (...args: string[]) => {
    const { code, out, err } = await runCommand(['apikey', ...args, '--config', config]);
    if (code !== 0) throw new Error(err);
    return out.trimEnd().split('\n').at(-1) ?? '';
  };
}

test('a key in a file opens the door from the moment it is added to the moment it is revoked', async (t) => {
  const apikeys = { file: join(temporaryFolder(t), 'apikeys.yaml') };
  const relay = await startTestRelay(t, { apikeys, doors: { wspubsub: {} } });
  const apikey = operator(t, apikeys);
  const port = relay.port('wspubsub');
  t.is((await refusedWs(t, port, pub('no-key'))).status, 403);
  const key = await apikey('add', 'example.com');
  const owner = await connectWs(t, port, pub(key));
  const subscriber = await connectWs(t, port, sub);
  owner.send('hello');
  t.is(await subscriber.next(), 'hello');
  t.is((await refusedWs(t, port, `/ws/pub/${key}/other.com/news`)).status, 403);
  await apikey('revoke', 'example.com');
  t.is((await refusedWs(t, port, pub(key))).status, 403);
  t.false(JSON.stringify(relay.log.all).includes(key));
});

testWithPostgres(
  'while the database is down publishers are told to come back, and those who are in go on',
  async (t) => {
    const server = await ownPostgres(t);
    await queryOn(server.url, ddl);
    const apikeys = { postgres: server.url };
    const relay = await startTestRelay(t, { doors: { wspubsub: { apikeys } } });
    const apikey = operator(t, apikeys);
    const port = relay.port('wspubsub');
    const key = await apikey('add', 'example.com');
    const owner = await connectWs(t, port, pub(key));
    const subscriber = await connectWs(t, port, sub);
    await server.kill();
    const refused = await refusedWs(t, port, `/ws/pub/${key}/example.com/other`);
    t.is(refused.status, 503);
    t.truthy(refused.headers['retry-after']);
    t.is((await refusedWs(t, port, `/ws/pub/wrong/example.com/other`)).status, 503);
    owner.send('still here');
    t.is(await subscriber.next(), 'still here');
    await server.start();
    await eventually(() => isLetIn(t, port, `/ws/pub/${key}/example.com/other`), 'it is let in again');
    t.is((await refusedWs(t, port, `/ws/pub/wrong/example.com/third`)).status, 403);
    t.is(relay.log.all.filter(({ msg }) => msg === 'authenticator-unavailable').length, 1);
    t.false(JSON.stringify(relay.log.all).includes(key));
  },
);

testWithPostgres('no key and no password is in anything that the program writes', async (t) => {
  const server = await ownPostgres(t);
  await queryOn(server.url, ddl);
  const apikeys = { postgres: server.url };
  const free = { host: '127.0.0.1', port: 0 };
  const config = configFile(
    t,
    JSON.stringify({
      apikeys,
      doors: { wspubsub: free, pinghub: { ...free, metrics_port: 0 } },
      network: free,
      admin: free,
      log: { level: 'trace', format: 'json' },
    }),
  );
  const key = await operator(t, apikeys)('add', 'example.com');
  const wrong = '7d8f1a35-0000-4000-8000-aaaaaaaaaaaa';
  const relay = runRelay(t, ['--config', config]);
  const port = await relay.port('wspubsub');
  const owner = await connectWs(t, port, pub(key));
  t.is((await refusedWs(t, port, pub(wrong))).status, 403);
  t.is((await refusedWs(t, port, pub(key))).status, 409);
  t.is((await ask(port, pub(key))).status, 426);
  t.is((await ask(port, `${pub(key)}/more`)).status, 400);
  await queryOn(server.url, 'ALTER TABLE apikeys RENAME TO elsewhere');
  t.is((await refusedWs(t, port, pub(key))).status, 503);
  await server.kill();
  t.is((await refusedWs(t, port, pub(wrong))).status, 503);
  await owner.leave();
  relay.signal('SIGTERM');
  const { code, out, err } = await relay.exited;
  t.is(code, 0);
  t.regex(out, /"authenticator unavailable"/);
  const secrets = [key, wrong, server.password, encodeURIComponent(server.password)];
  for (const secret of secrets) t.false((out + err).includes(secret));
});

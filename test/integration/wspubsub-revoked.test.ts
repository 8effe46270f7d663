import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { runCommand } from '../command/run-command.ts';
import { queryOn, sharedPostgres, testWithPostgres } from '../support/postgres.ts';
import { startTestRelay } from '../support/relay.ts';
import { configFile, packageRoot, temporaryFolder } from '../support/relay-process.ts';
import { servedTime } from '../support/served-time.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const postgres = sharedPostgres();
const ddl = readFileSync(join(packageRoot, 'rel', 'sql', 'apikeys.sql'), 'utf8');
/** Milliseconds within which a live connection must have lost what was revoked. */
const PROMISED = 5000;

/** An owner is closed when its key is revoked, another one's connection is not, and neither is one that is replaced. */
async function revoking(t: ExecutionContext, apikeys: Readonly<Record<string, string>>) {
  const config = configFile(t, JSON.stringify({ apikeys }));
  const apikey = async (...args: string[]) => {
    const { code, out, err } = await runCommand(['apikey', ...args, '--config', config]);
    t.is(code, 0, err);
    return out.trimEnd().split('\n').at(-1) ?? '';
  };
  const relay = await startTestRelay(t, { apikeys, doors: { wspubsub: {} } });
  const port = relay.port('wspubsub');
  const [first, other] = [await apikey('add', 'a.com'), await apikey('add', 'b.com')];
  const owner = await connectWs(t, port, `/ws/pub/${first}/a.com/news`);
  const neighbour = await connectWs(t, port, `/ws/pub/${other}/b.com/news`);
  const reader = await connectWs(t, port, '/ws/sub/b.com/news');
  owner.send('heard');

  const time = servedTime(t);
  await apikey('revoke', 'a.com');
  const end = await owner.next();
  t.true(time() < PROMISED);
  t.like(end, { code: 1008 });
  t.truthy(typeof end === 'object' && 'reason' in end && end.reason !== '', 'it says why');
  t.is((await refusedWs(t, port, `/ws/pub/${first}/a.com/news`)).status, 403);

  const replaced = await apikey('add', 'a.com');
  const successor = await connectWs(t, port, `/ws/pub/${replaced}/a.com/news`);
  await apikey('add', 'a.com', '--replace');
  t.like(await successor.next(), { code: 1008 });

  neighbour.send('unharmed');
  t.is(await reader.next(), 'unharmed');
  const lines = JSON.stringify(relay.log.all);
  for (const key of [first, other, replaced]) t.false(lines.includes(key));
}

test('a live owner is closed when its key is taken out of the file', async (t) => {
  await revoking(t, { file: join(temporaryFolder(t), 'apikeys.yaml') });
});

testWithPostgres('a live owner is closed when its key is revoked in the table', async (t) => {
  const url = await (await postgres()).database();
  await queryOn(url, ddl);
  await revoking(t, { postgres: url });
});

testWithPostgres('without the trigger a live owner is closed at the next look', async (t) => {
  const url = await (await postgres()).database();
  await queryOn(url, `${ddl}; DROP TRIGGER apikeys_changed ON apikeys`);
  await revoking(t, { postgres: url, recheck: '50ms' });
});

import test from 'ava';
import { configFile, runRelay } from '../support/relay-process.ts';
import { connectWs } from '../support/ws-client.ts';

const CLIENTS = 60;

test('closes of one kind at once are ten lines, and one with the number of the rest and some of them; none goes uncounted', async (t) => {
  const settings = 'node: n\nlimits: { connection_rate_per_address: 0 }\n';
  const relay = runRelay(t, [
    '--config',
    configFile(t, `${settings}doors: { pusu: { host: 127.0.0.1, port: 0 } }\n`),
  ]);
  const port = await relay.port('pusu');
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connectWs(t, port)));
  const [first] = clients;
  await first?.next();
  first?.send('{"type":"subscribe","channel":"chat"}');
  await first?.next();
  relay.signal('SIGTERM');
  t.is((await relay.exited).code, 0);
  const closed = relay.log.all.filter(({ msg }) => msg === 'closed');
  const [alone, folded] = [
    closed.filter((line) => line['folded'] === undefined),
    closed.filter((line) => line['folded'] !== undefined),
  ];
  const count = folded.reduce((sum, line) => sum + Number(line['folded']), alone.length);
  t.is(count, CLIENTS);
  t.true(folded.length >= 1, 'they go within half a second for each ten');
  t.like(folded[0], { level: 30, door: 'pusu', code: 1001, reason: 'going away' });
  t.like(folded[0]?.['samples'], [{ address: '127.0.0.1' }]);
  for (const line of alone) t.is(line['cause'], 'the relay or its door was drained');
  const named = alone.find((line) => line['topicCount'] === 1);
  if (named !== undefined) t.deepEqual(named['topics'], ['chat']);
});

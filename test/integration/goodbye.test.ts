import test from 'ava';
import { startCluster } from '../support/cluster.ts';

const WARNING = 40;

test('a relay that stops in good order says goodbye, and its absence is no warning; one that dies is one', async (t) => {
  const { nodes, start } = await startCluster(t, 2);
  const [a, b] = nodes as [(typeof nodes)[number], (typeof nodes)[number]];
  const warnings = () => a.log.all.filter(({ level }) => Number(level) >= WARNING).map(({ msg }) => msg);
  const before = warnings();
  b.signal('SIGTERM');
  t.is((await b.exited).code, 0);
  const [unlinked, notServing] = await Promise.all(
    ['unlinked', 'not serving'].map((msg) => a.log.find((line) => line.msg === msg)),
  );
  t.like(unlinked, { peer: 'relay-2', why: 'it said goodbye' });
  t.like(notServing, { peer: 'relay-2', why: 'it said goodbye' });
  // It is dialled in vain, which is what is to be expected.
  await a.log.find(({ msg, why }) => msg === 'not linked' && /ECONNREFUSED/.test(String(why)));
  t.deepEqual(warnings(), before);

  const back = await start(1);
  const from = a.log.all.length;
  await back.kill();
  const lost = await a.log.find((line) => line.msg === 'unlinked' && a.log.all.indexOf(line) >= from);
  t.like(lost, { level: WARNING, peer: 'relay-2', why: 'connection lost' });
  await a.log.find((line) => line.msg === 'not linked' && a.log.all.indexOf(line) >= from);
  t.deepEqual(warnings().slice(before.length), ['unlinked', 'not linked']);
});

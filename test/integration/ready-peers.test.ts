import test from 'ava';
import { ask, parseMetrics, sumOf } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { linkedTo, type Node, startCluster } from '../support/cluster.ts';
import { skipWithoutNats, startNats, startNatsRelays } from '../support/nats.ts';

interface Edge {
  readonly edge: string;
  readonly ok: boolean;
  readonly needed: boolean;
  readonly why: string | null;
}

async function ready(node: Node): Promise<{ readonly status: number; readonly peers: readonly Edge[] }> {
  const { status, body } = await ask(await node.port('admin'), '/health/ready');
  const { edges } = JSON.parse(body) as { readonly edges: readonly Edge[] };
  return { status, peers: edges.filter(({ edge }) => /^(peer|backplane) /.test(edge)) };
}

/** Asks until it is: who was sent a signal may still do what it was about to. */
async function notReady(node: Node): Promise<{ readonly peers: readonly Edge[] }> {
  let last = await ready(node);
  await eventually(async () => {
    if (last.status === 503) return true;
    last = await ready(node);
    return false;
  }, 'it is not ready');
  return last;
}

const proved = (peers: readonly string[]) =>
  peers.map((edge) => ({ edge, ok: true, needed: true, why: null }));
const short = ({ edge, ok, needed, why }: Edge): Edge => ({ edge, ok, needed, why });

test.serial(
  'a probe goes to every peer and back; one that is frozen is red until its link is down',
  async (t) => {
    const cluster = await startCluster(t, 3, { timeout: '3s' });
    const [a, b] = cluster.nodes as [Node, Node, Node];
    for (let i = 0; i < 3; i++) {
      const { status, peers } = await ready(a);
      t.is(status, 200);
      t.deepEqual(peers.map(short), proved(['peer relay-2', 'peer relay-3']));
    }
    const metrics = parseMetrics((await ask(await a.port('admin'), '/metrics')).body);
    t.is(
      sumOf(metrics, 'fanfare_delivery_attempts_total'),
      sumOf(metrics, 'fanfare_deliveries_total') + sumOf(metrics, 'fanfare_dropped_total'),
    );

    b.signal('SIGSTOP');
    const red = await notReady(a);
    b.signal('SIGCONT');
    t.deepEqual(
      red.peers.filter(({ ok }) => !ok).map(({ edge, why }) => [edge, why]),
      [['peer relay-2', 'published, and nothing came back in 900 ms']],
    );
    await eventually(async () => (await ready(a)).status === 200, 'it answers again');
  },
);

test.serial(
  'a relay that is down is named, and the others are ready without it, unless they need it',
  async (t) => {
    const cluster = await startCluster(t, 2);
    const needy = await startCluster(t, 2, {
      settings: { admin: { host: '127.0.0.1', port: 0, ready_needs_peers: true } },
    });
    for (const [{ nodes, start }, expected] of [
      [cluster, 200],
      [needy, 503],
    ] as const) {
      const [a, b] = nodes as [Node, Node];
      await b.kill();
      await eventually(async () => (await ready(a)).peers.every(({ ok }) => !ok), 'it is down');
      const { status, peers } = await ready(a);
      t.is(status, expected);
      t.is(peers[0]?.edge, 'peer relay-2');
      t.regex(peers[0]?.why ?? '', /^down: /);
      const from = a.log.all.length;
      await start(1);
      await linkedTo(a, 'relay-2', from);
      await eventually(async () => (await ready(a)).peers.every(({ ok }) => ok), 'it is back');
      t.is((await ready(a)).status, 200);
    }
  },
);

test.serial('a probe goes round by NATS, without which a relay is not ready', async (t) => {
  if (skipWithoutNats(t)) return;
  const server = await startNats(t);
  const [a] = (await startNatsRelays(t, [server.address], 2)) as [Node, Node];
  for (let i = 0; i < 3; i++) {
    const { status, peers } = await ready(a);
    t.is(status, 200);
    t.deepEqual(peers.map(short), proved(['backplane nats']));
  }
  server.signal('SIGSTOP');
  const red = await notReady(a);
  server.signal('SIGCONT');
  t.regex(red.peers[0]?.why ?? '', /^(published, and nothing came back in 900 ms|down: silent)$/);
  await server.kill();
  await eventually(async () => /^down: /.test((await ready(a)).peers[0]?.why ?? ''), 'it is down');
  t.is((await ready(a)).status, 503);
  await server.start();
  await eventually(async () => (await ready(a)).status === 200, 'it is back');
});

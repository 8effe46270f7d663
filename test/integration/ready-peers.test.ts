import test from 'ava';
import { ask, parseMetrics, sumOf } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { linkedTo, type Node, startCluster } from '../support/cluster.ts';
import { skipWithoutNats, startNats, startNatsRelays } from '../support/nats.ts';
import { pairOfRelays } from '../support/pair-of-relays.ts';
import type { AnyRelay } from '../support/pusu-clients.ts';
import { changeRelays } from '../support/relay.ts';

interface Edge {
  readonly edge: string;
  readonly ok: boolean;
  readonly needed: boolean;
  readonly why: string | null;
}

async function ready(node: AnyRelay): Promise<{ readonly status: number; readonly peers: readonly Edge[] }> {
  const { status, body } = await ask(await node.port('admin'), '/health/ready');
  const { edges } = JSON.parse(body) as { readonly edges: readonly Edge[] };
  return { status, peers: edges.filter(({ edge }) => /^(peer|backplane) /.test(edge)) };
}

/**
 * Asks until the answer is as wanted: who was sent a signal may still do what it was about to, and on a busy machine a
 * probe may be late without any fault.
 */
async function becomes(
  node: AnyRelay,
  wanted: (answer: Awaited<ReturnType<typeof ready>>) => boolean,
  what: string,
): Promise<Awaited<ReturnType<typeof ready>>> {
  let last = await ready(node);
  await eventually(async () => {
    if (wanted(last)) return true;
    last = await ready(node);
    return false;
  }, what);
  return last;
}

const isReady = ({ status, peers }: { readonly status: number; readonly peers: readonly Edge[] }) =>
  status === 200 && peers.every(({ ok }) => ok);
const proved = (peers: readonly string[]) =>
  peers.map((edge) => ({ edge, ok: true, needed: true, why: null }));
const short = ({ edge, ok, needed, why }: Edge): Edge => ({ edge, ok, needed, why });
const reds = (peers: readonly Edge[]) => peers.filter(({ ok }) => !ok).map(({ edge, why }) => [edge, why]);

test.serial(
  'a probe goes to every peer and back; one that is frozen is red until its link is down',
  async (t) => {
    const cluster = await startCluster(t, 3, { timeout: '30s' });
    const [a, b] = cluster.nodes as [Node, Node, Node];
    for (let i = 0; i < 3; i++) {
      const { peers } = await becomes(a, isReady, 'it is ready');
      t.deepEqual(peers.map(short), proved(['peer relay-2', 'peer relay-3']));
    }
    const metrics = parseMetrics((await ask(await a.port('admin'), '/metrics')).body);
    t.deepEqual(
      ['delivery_attempts', 'deliveries', 'dropped'].map((name) => sumOf(metrics, `fanfare_${name}_total`)),
      [0, 0, 0],
      'a probe is nobody’s message',
    );

    b.signal('SIGSTOP');
    const frozen = ['peer relay-2', 'published, and nothing came back in 900 ms'];
    const red = await becomes(
      a,
      ({ peers }) => JSON.stringify(reds(peers)) === JSON.stringify([frozen]),
      'that one alone is red, as nothing comes back',
    );
    t.is(red.status, 503);
    b.signal('SIGCONT');
    await becomes(a, isReady, 'it answers again');
    t.is(b.log.all.filter(({ msg }) => msg === 'linked').length, 2, 'its links have lasted');
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
      const { status, peers } = await becomes(
        a,
        (answer) => /^down: /.test(answer.peers[0]?.why ?? ''),
        'it is down',
      );
      t.is(status, expected);
      t.is(peers[0]?.edge, 'peer relay-2');
      const from = a.log.all.length;
      await start(1);
      await linkedTo(a, 'relay-2', from);
      t.deepEqual(reds((await becomes(a, isReady, 'it is back')).peers), []);
    }
  },
);

test.serial(
  'a relay that another one has taken off its list says that its messages do not get there',
  async (t) => {
    const { relays, link } = await pairOfRelays(t);
    const [a, b] = relays;
    await link();
    await becomes(b, isReady, 'both take from each other');
    const [own] = a.relay.backplane?.list.now ?? [];
    await changeRelays(a, [own ?? '']);
    const { status, peers } = await becomes(b, (answer) => !isReady(answer), 'it takes no longer');
    t.is(status, 200, 'as for a relay that is down');
    const why = 'down: it has made no link to this relay, and takes none of its messages';
    t.deepEqual(peers.map(short), [{ edge: 'peer n0', ok: false, needed: false, why }]);
    t.deepEqual((await ready(a)).peers, []);
    await link();
    await becomes(b, isReady, 'it takes again');
  },
);

test.serial('a probe goes round by NATS, without which a relay is not ready', async (t) => {
  if (skipWithoutNats(t)) return;
  const server = await startNats(t);
  const [a] = (await startNatsRelays(t, [server.address], 2)) as [Node, Node];
  for (let i = 0; i < 3; i++) {
    const { peers } = await becomes(a, isReady, 'it is ready');
    t.deepEqual(peers.map(short), proved(['backplane nats']));
  }
  server.signal('SIGSTOP');
  const silent = /^(published, and nothing came back in 900 ms|down: silent)$/;
  const red = await becomes(a, ({ peers }) => silent.test(peers[0]?.why ?? ''), 'nothing comes back');
  t.is(red.status, 503);
  server.signal('SIGCONT');
  await server.kill();
  const down = await becomes(a, ({ peers }) => /^down: /.test(peers[0]?.why ?? ''), 'it is down');
  t.is(down.status, 503);
  await server.start();
  await becomes(a, isReady, 'it is back');
});

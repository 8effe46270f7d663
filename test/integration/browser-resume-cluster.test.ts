import test, { type ExecutionContext } from 'ava';
import { homeOf } from '../../src/cluster/mesh/ordering.ts';
import { newOrigin, openBrowser, openPage } from '../support/browser.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { faultyProxy } from '../support/faulty-proxy.ts';
import { listenIn, seenBy, sees } from '../support/listening-page.ts';
import { connectRaw, post } from '../support/raw-client.ts';

const settings = { topics: [{ pattern: '*', ordering: 'cluster', history: true }] };

const names = ['relay-1', 'relay-2', 'relay-3'];

/** A topic whose messages get their order from that relay. */
const topicAt = (home: string): string =>
  Array.from({ length: 100 }, (_, index) => `news-${index}`).find(
    (topic) => homeOf(`main\0${topic}`, names) === home,
  ) ?? '';

async function publish(
  cluster: TestCluster,
  index: number,
  path: string,
  ...messages: readonly string[]
): Promise<void> {
  const port = await cluster.node(index).port('pinghub');
  for (const message of messages) await post(port, path, message);
}

/** Somebody else who listens at a relay; tells when a message has come. */
async function other(t: ExecutionContext, cluster: TestCluster, index: number, path: string) {
  const raw = await connectRaw(t, await cluster.node(index).port('pinghub'));
  raw.send(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`);
  await raw.until('\nretry: ');
  return { hears: (message: string) => raw.until(`data: ${message}\n\n`) };
}

for (const [what, home] of [
  ['the home of its topic', 'relay-1'],
  ['no home of its topic', 'relay-2'],
] as const)
  test(`an EventSource whose relay, ${what}, is killed misses nothing at another one, nor when it comes back`, async (t) => {
    const path = `/${topicAt(home)}`;
    const cluster = await startCluster(t, 3, { settings, timeout: '2s' });
    const proxy = await faultyProxy(t);
    const { page } = await openPage(t, await openBrowser(t), await newOrigin(t));
    proxy.target = await cluster.node(0).port('pinghub');
    const second = await other(t, cluster, 1, path);
    await listenIn(page, `http://127.0.0.1:${proxy.port}${path}`);
    await sees(page, 'open');
    await publish(cluster, 2, path, 'one');
    await Promise.all([sees(page, 'one'), second.hears('one')]);

    proxy.target = 1;
    await cluster.node(0).kill();
    // The other relays give the topic another home, if it had it there.
    await Promise.all([1, 2].map((index) => cluster.node(index).log.find((line) => line.msg === 'unlinked')));
    await publish(cluster, 2, path, 'two', 'three');
    await second.hears('three');
    proxy.target = await cluster.node(1).port('pinghub');
    await sees(page, 'three');

    await cluster.start(0);
    await Promise.all(
      [1, 2].map((index) =>
        cluster.node(index).log.count((line) => line.msg === 'linked' && line['peer'] === 'relay-1', 2),
      ),
    );
    proxy.target = 1;
    proxy.cut();
    await publish(cluster, 1, path, 'four', 'five');
    await second.hears('five');
    proxy.target = await cluster.node(0).port('pinghub');
    await sees(page, 'five');
    await publish(cluster, 0, path, 'six');
    await sees(page, 'six');
    t.deepEqual(await seenBy(page), ['open', 'one', 'open', 'two', 'three', 'open', 'four', 'five', 'six']);
  });

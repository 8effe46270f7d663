import test, { type ExecutionContext } from 'ava';
import { homeOf } from '../../src/cluster/mesh/ordering.ts';
import { eventually } from '../support/arrivals.ts';
import { long } from '../support/chaos.ts';
import { linkedTo, type Node, startCluster } from '../support/cluster.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

const CLIENTS = long ? 200 : 40;
const RATE = long ? 100 : 40;
/** Milliseconds from the death of a relay to the answer at another one. */
const IN_TIME = 3500;

test.before((t) => t.timeout(240_000));

interface Frame {
  readonly type: string;
  readonly content?: number;
  readonly at?: string;
  readonly recovered?: boolean;
  readonly missed?: number | null;
}

/** A client that notes what it has seen, and where it stands. */
class Listener {
  readonly seen: number[] = [];
  at: string | undefined = undefined;
  answer: Frame | undefined = undefined;
  gaps = 0;
  ws: WsClient | undefined = undefined;

  async join(
    t: ExecutionContext,
    node: Node,
    channel: string,
    sent: () => void = () => undefined,
  ): Promise<void> {
    this.ws?.webSocket.removeAllListeners('message');
    const ws = await connectWs(t, await node.at('pusu'), '/', { protocols: ['fanfare.1'] });
    this.ws = ws;
    const answered = new Promise<void>((resolve) => {
      ws.webSocket.on('message', (data: Buffer) => {
        if (this.ws === ws) this.#hear(JSON.parse(data.toString()) as Frame, ws, resolve);
      });
    });
    ws.send(JSON.stringify({ type: 'subscribe', channel, since: this.at }));
    sent();
    await answered;
  }

  #hear(frame: Frame, ws: WsClient, answered: () => void): void {
    if (frame.at !== undefined) this.at = frame.at;
    if (frame.type === 'ping') ws.send('{"type":"pong"}');
    else if (frame.type === 'publish') this.seen.push(frame.content ?? 0);
    else if (frame.type === 'gap') this.gaps++;
    else if (frame.type === 'subscribe_ok') {
      this.answer = frame;
      answered();
    }
  }
}

for (const who of ['home', 'bystander'] as const) {
  test.serial(
    `the ${who} of a topic is killed under load: its clients resume at other relays, and miss nothing`,
    async (t) => {
      const cluster = await startCluster(t, 3, {
        timeout: '3s',
        heartbeat: '500ms',
        settings: {
          topics: [{ pattern: 'c*', ordering: 'cluster', history: { messages: 1000 } }],
          limits: { connections_per_address: 0 },
        },
      });
      const { nodes } = cluster;
      const names = nodes.map(({ name }) => name);
      const home = homeOf('main\0c', names);
      const dies = nodes.find(({ name }) => (name === home) === (who === 'home')) as Node;
      const living = nodes.filter((node) => node !== dies) as [Node, Node];
      const clients = Array.from({ length: CLIENTS }, () => new Listener());
      const bystanders = [new Listener(), new Listener()] as const;
      await Promise.all(clients.map((client) => client.join(t, dies, 'c')));
      for (const [index, one] of bystanders.entries()) await one.join(t, living[index] as Node, 'c');
      const publisher = await connectWs(t, await living[0].at('pusu'), '/', { protocols: ['fanfare.1'] });
      let number = 0;
      const flow = setInterval(() => {
        publisher.send(JSON.stringify({ type: 'publish', channel: 'c', content: ++number }));
      }, 1000 / RATE);
      t.teardown(() => clearInterval(flow));
      await eventually(() => clients.every(({ seen }) => seen.length > RATE), 'the flow has come to all');
      await dies.kill();
      const killedAt = performance.now();
      await Promise.all(clients.map((client, index) => client.join(t, living[index % 2] as Node, 'c')));
      const took = performance.now() - killedAt;
      for (const node of living)
        await node.log.find(({ msg, peer }) => msg === 'unlinked' && peer === dies.name);
      const before = number;
      await eventually(
        () => [...clients, ...bystanders].every(({ seen }) => (seen.at(-1) ?? 0) > before + RATE),
        'the flow goes on',
      );
      clearInterval(flow);
      await eventually(
        () => [...clients, ...bystanders].every(({ seen }) => seen.at(-1) === number),
        'all of it has come',
      );
      const sure = clients.filter(({ answer }) => answer?.recovered === true).length;
      t.log(`${sure} of ${CLIENTS} resumed for sure, the last after ${Math.round(took)} ms`);
      t.true(took < IN_TIME, `${took} ms`);
      t.true(sure >= 0.99 * CLIENTS, `${sure} of ${CLIENTS}`);
      // What the publisher's relay had sent to the dead home and nobody got is no part of the topic: the others agree on all of it.
      const whole = bystanders[0].seen;
      t.deepEqual(bystanders[1].seen, whole);
      for (const { seen, answer, gaps } of clients) {
        t.deepEqual(seen, [...new Set(seen)], 'none twice');
        t.deepEqual(
          seen,
          seen.toSorted((a, b) => a - b),
          'in order',
        );
        if (answer?.recovered !== true) continue;
        t.is(gaps, 0);
        t.deepEqual(seen, whole.slice(whole.indexOf(seen[0] as number)), 'all that there is');
      }
      for (const node of living) await linkedTo(node, (node === living[0] ? living[1] : living[0]).name);
    },
  );
}

test.serial(
  'a home dies that a relay has asked for what it keeps: who waits there is answered with what the next home keeps',
  async (t) => {
    const { nodes } = await startCluster(t, 3, {
      settings: { topics: [{ pattern: 'c*', ordering: 'cluster', history: true }] },
    });
    const [home, next, far] = nodes as [Node, Node, Node];
    const homeAmong = (channel: string, ...among: Node[]) =>
      homeOf(
        `main\0${channel}`,
        among.map(({ name }) => name),
      );
    const channel = Array.from({ length: 1000 }, (_, index) => `c${index}`).find(
      (name) => homeAmong(name, ...nodes) === home.name && homeAmong(name, next, far) === next.name,
    );
    if (channel === undefined) throw new Error('no such topic');
    const listener = new Listener();
    await listener.join(t, next, channel);
    const publisher = await connectWs(t, await home.at('pusu'), '/', { protocols: ['fanfare.1'] });
    for (let content = 1; content <= 10; content++)
      publisher.send(JSON.stringify({ type: 'publish', channel, content }));
    await eventually(() => listener.seen.length === 10, 'all has come');
    const last = listener.at;
    const roaming = new Listener();
    roaming.at = last?.replace(/:10$/, ':4');
    const other = await connectWs(t, await far.at('pusu'), '/', { protocols: ['fanfare.1'] });
    // The home takes the question, and says nothing.
    home.signal('SIGSTOP');
    let joined = Promise.resolve();
    await new Promise<void>((resolve) => {
      joined = roaming.join(t, far, channel, resolve);
    });
    // The relay has asked by the time at which it answers what another client has said later.
    other.send('{"type":"ping"}');
    for (let got = await other.next(); got !== '{"type":"pong"}'; ) got = await other.next();
    await home.kill();
    await joined;
    t.like(roaming.answer, { recovered: true });
    await eventually(() => roaming.at === last, 'what was missed has come');
    t.deepEqual(roaming.seen, [5, 6, 7, 8, 9, 10]);
    t.is(roaming.gaps, 0);
  },
);

import type { ExecutionContext } from 'ava';
import { parseMetrics, sumOf } from './admin.ts';
import { eventually, PATIENCE } from './arrivals.ts';
import type { ClusterOptions, Node, TestCluster } from './cluster.ts';
import { type ControlProbe, startControlProbe } from './control-probe.ts';
import { missing, type Publisher, type Subscriber, startPublisher, startSubscriber } from './traffic.ts';

/** What is done to a network of relays while messages flow, and what must hold of it afterwards. */

/** With FANFARE_CHAOS set, troubles take as long as operators fear (60 s); else they are short, and so are all times. */
export const long = process.env['FANFARE_CHAOS'] !== undefined;
export const times: ClusterOptions = long
  ? { heartbeat: '1s', timeout: '3s' }
  : { heartbeat: '200ms', timeout: '3s' };
/** From the heal to all links being back, in milliseconds. */
const HEAL = 5000;
const RATE = 400;
/** For what has happened to be read in a log, in milliseconds. */
const SETTLED = 10_000;

export interface Load {
  readonly publishers: readonly Publisher[];
  readonly subscribers: readonly Subscriber[];
  readonly probes: readonly ControlProbe[];
}

/** A publisher, a subscriber, and somebody who subscribes to new topics all the time, at each relay. */
export async function startLoad(t: ExecutionContext, { nodes }: TestCluster, bytes = 0): Promise<Load> {
  const subscribers = await Promise.all(
    nodes.map(async (node) => startSubscriber(t, await node.at('pusu'), 'load')),
  );
  const publishers = await Promise.all(
    nodes.map(async (node) => startPublisher(t, await node.at('pusu'), 'load', node.name, RATE, bytes)),
  );
  const probes = await Promise.all(
    nodes.map(async (node) => startControlProbe(t, await node.at('pusu'), node.name)),
  );
  return { publishers, subscribers, probes };
}

/** Waits until each publisher has sent that many messages more. */
export async function flows(publishers: readonly Publisher[], more: number): Promise<void> {
  const from = publishers.map((one) => one.sent());
  await eventually(
    () => publishers.every((one, index) => one.sent() >= (from[index] ?? 0) + more),
    'messages flow',
  );
}

/** Waits until nothing is left of what has waited for links so far: what is published now comes behind it. */
export async function caughtUp({ publishers, subscribers }: Load): Promise<void> {
  const sent = publishers.map((one) => one.sent());
  for (const one of subscribers)
    for (const [index, publisher] of publishers.entries())
      await eventually(() => one.of(publisher.name).last > (sent[index] ?? 0), 'links have caught up');
}

/** Ends the flow, and waits until its last messages have come everywhere. */
export async function stopLoad({ publishers, subscribers, probes }: Load): Promise<void> {
  for (const probe of probes) probe.stop();
  for (const publisher of publishers) publisher.stop();
  for (const one of subscribers) for (const publisher of publishers) await one.end(publisher);
}

/** How many messages each subscriber misses of each publisher; none twice, none out of order. */
export function gaps(t: ExecutionContext, { publishers, subscribers }: Load): number[][] {
  return subscribers.map((one) => publishers.map((publisher) => missing(t, one, publisher)));
}

/**
 * What a relay has counted as lost of what a peer had for it, and what the peer has counted, as they said it last. Each says
 * it in a log of its own: both are waited for.
 */
async function lostOf(taker: Node, server: Node, expected: number) {
  const last = (node: Node, msg: string, peer: string) =>
    node.log.all.findLast((line) => line.msg === msg && line['peer'] === peer)?.['lost'];
  const counts = () => ({
    taken: last(taker, 'linked', server.name),
    served: last(server, 'serving', taker.name),
  });
  const end = performance.now() + SETTLED;
  const agree = () => counts().taken === expected && counts().served === expected;
  await eventually(() => agree() || performance.now() > end, 'both ends have spoken');
  return counts();
}

/**
 * What every trouble must end with, once the flow has stopped and the links have been made again: what each subscriber
 * misses is, to the message, what both ends of its link have counted, and nothing at its own relay; each relay's books
 * are balanced; no process has crashed; and what is said between relays was fast enough. Returns how many were lost.
 */
export async function holds(t: ExecutionContext, { nodes }: TestCluster, load: Load): Promise<number> {
  let lost = 0;
  for (const [index, row] of gaps(t, load).entries()) {
    for (const [from, count] of row.entries()) {
      lost += count;
      const label = `what relay-${index + 1} misses of relay-${from + 1}`;
      if (index === from) t.is(count, 0, label);
      else
        t.deepEqual(
          await lostOf(nodes[index] as Node, nodes[from] as Node, count),
          { taken: count, served: count },
          label,
        );
    }
  }
  for (const node of nodes) await isBalanced(t, node);
  noCrash(t, nodes);
  controlWasFast(t, load.probes);
  return lost;
}

/** Each attempt was a delivery or a drop, once the last writes are done: that is waited for, and a leak never balances. */
export async function isBalanced(t: ExecutionContext, node: Node): Promise<void> {
  const at = `${await node.atHttp('admin')}/metrics`;
  const end = performance.now() + PATIENCE;
  for (;;) {
    const metrics = parseMetrics(await (await fetch(at)).text());
    const attempts = sumOf(metrics, 'fanfare_delivery_attempts_total');
    const ended = sumOf(metrics, 'fanfare_deliveries_total') + sumOf(metrics, 'fanfare_dropped_total');
    if (attempts !== ended && performance.now() < end) continue;
    t.is(attempts, ended, `${node.name}: attempts are deliveries and drops`);
    return;
  }
}

/** No process has crashed, so none was restarted, within its supervisor's intensity or beyond. */
export function noCrash(t: ExecutionContext, nodes: readonly Node[]): void {
  for (const { log, name } of nodes)
    t.deepEqual(
      log.all.filter(({ msg }) => msg.endsWith(' report')),
      [],
      name,
    );
}

/**
 * The first subscriber of a topic is let in when the other relays have confirmed, and after 250 ms in any case: so that
 * bounds what it waits, however bad the links are.
 */
const CONTROL_BOUND = 250;
/** For the relay and the test to get on with it; a machine that is busy is given the most that it takes without any link, thrice. */
const LEEWAY = 150;

export function controlWasFast(t: ExecutionContext, probes: readonly ControlProbe[]): void {
  const sorted = (times: readonly number[]) => times.toSorted((a, b) => a - b);
  const at = (times: readonly number[], share: number) =>
    times[Math.floor(times.length * share)] ?? Number.NaN;
  const all = sorted(probes.flatMap(({ took }) => took));
  const machine = slowest(probes);
  const p99 = at(all, 0.99);
  t.log(
    `${all.length} first subscriptions: p50 ${at(all, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms ` +
      `(of known topics ${machine.toFixed(1)} ms at most), ` +
      `${(confirmedInTime(probes) * 100).toFixed(1)} % confirmed in time`,
  );
  t.true(all.length > 0);
  t.true(p99 < CONTROL_BOUND + Math.max(LEEWAY, 3 * machine), `p99 ${p99} ms`);
}

/** The share of first subscriptions that all linked relays have confirmed in time. `from`: of each probe, the first that counts. */
export function confirmedInTime(probes: readonly ControlProbe[], from: readonly number[] = []): number {
  const all = probes.flatMap(({ took }, index) => took.slice(from[index] ?? 0));
  return all.filter((each) => each < CONTROL_BOUND - 5).length / all.length;
}

/** Milliseconds that the machine itself takes for an answer: the most that there was. */
function slowest(probes: readonly ControlProbe[]): number {
  return Math.max(...probes.map(({ machine }) => machine()));
}

/** What the machine takes of its own for a link to be made: so many answers, and the processes of both ends. */
const ANSWERS = 20;

/** Links are back within the time that is promised, and what the machine itself takes. */
export function backInTime(t: ExecutionContext, took: number, { probes }: Pick<Load, 'probes'>): void {
  const bound = HEAL + ANSWERS * slowest(probes);
  t.log(`links back after ${Math.round(took)} ms, at most ${Math.round(bound)} ms`);
  t.true(took < bound, `links back after ${Math.round(took)} ms`);
}

/**
 * Waits for links that were down to be back, each way, within the time that is promised. `time`: measured since then. `made`: the time of day in
 * milliseconds before which no link of them was made; what a relay said before that is not looked at.
 */
export async function allBack(
  t: ExecutionContext,
  nodes: readonly Node[],
  pairs: readonly (readonly [number, number])[],
  load: Pick<Load, 'probes'>,
  time: () => number,
  made = 0,
): Promise<void> {
  for (const [a, b] of pairs) {
    const [one, other] = [nodes[a] as Node, nodes[b] as Node];
    const isLinked = () => {
      const last = one.log.all.findLast(
        (line) => line['peer'] === other.name && /^(un)?linked$/.test(line.msg),
      );
      return last?.msg === 'linked' && Date.parse(String(last['time'])) >= made;
    };
    await eventually(isLinked, `${one.name} is linked to ${other.name} again`);
  }
  backInTime(t, time(), load);
}

/** Each relay with each other one. */
export function everyPair(count: number): (readonly [number, number])[] {
  const all = Array.from({ length: count }, (_, index) => index);
  return all.flatMap((a) => all.filter((b) => b !== a).map((b) => [a, b] as const));
}

/** From line `from` of its log on. */
export function unlinked(node: Node, peer: Node, from = 0): Promise<unknown> {
  return node.log.find(
    (line) => line.msg === 'unlinked' && line['peer'] === peer.name && node.log.all.indexOf(line) >= from,
    `${node.name} misses ${peer.name}`,
  );
}

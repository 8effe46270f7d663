import type { ExecutionContext } from 'ava';
import { eventually } from './arrivals.ts';
import { freePorts, SECRET } from './cluster.ts';
import { changeRelays, startTestRelay, type TestRelay } from './relay.ts';

/** Two relays in this process, and the links between them. They start without. */
export interface PairOfRelays {
  readonly relays: readonly [TestRelay, TestRelay];
  link(): Promise<void>;
  /** Ends every connection between the two, and dials no more until `link`. */
  part(): Promise<void>;
  /** Ends every connection between the two; if it is to be, they are made again at once. */
  breakLinks(): Promise<void>;
}

export async function pairOfRelays(
  t: ExecutionContext,
  { grace = '10s', ...settings }: { readonly grace?: string; readonly [key: string]: unknown } = {},
): Promise<PairOfRelays> {
  const ports = (await freePorts(2)) as [number, number];
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const start = (index: number) =>
    startTestRelay(t, {
      node: `n${index}`,
      relays: [addresses[index]],
      network: { host: '127.0.0.1', port: ports[index], secret: SECRET, heartbeat: '50ms', timeout: '10s' },
      doors: { pusu: {}, wspubsub: { grace, apikeys: { list: [{ domain: 'd', key: 'key' }] } } },
      ...settings,
    });
  const relays = [await start(0), await start(1)] as const;
  const reload = (lists: readonly (readonly string[])[]) => {
    for (const [index, relay] of relays.entries()) void changeRelays(relay, lists[index] ?? []);
  };
  const are = (live: boolean) =>
    eventually(
      () =>
        relays.every(({ relay }) => {
          const network = relay.backplane?.network;
          const served = [...(network?.outbound.all() ?? [])];
          return (
            network?.inbound.size === (live ? 1 : 0) &&
            served.every(([, one]) => (one.connection !== undefined) === live) &&
            (!live || served.length === 1)
          );
        }),
      live ? 'the two are linked' : 'the two have parted',
    );
  return {
    relays,
    link: () => {
      reload([addresses, addresses]);
      return are(true);
    },
    part: () => {
      reload(addresses.map((address) => [address]));
      return are(false);
    },
    breakLinks: () => {
      for (const relay of relays) cutServed(relay);
      return are(false);
    },
  };
}

/** Ends the connections that other relays have made to this one, under their links. */
export function cutServed({ relay }: TestRelay): void {
  for (const [, { connection }] of relay.backplane?.network.outbound.all() ?? [])
    connection?.socket.stream.destroy();
}

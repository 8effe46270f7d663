import { spawnSync } from 'node:child_process';
import type { ExecutionContext } from 'ava';

/** Machines of their own for relays, as network namespaces: a network between them, and another one for clients. */
export interface Machines {
  /** Of machine `index`: its address for other relays, and for clients. */
  network(index: number): string;
  clients(index: number): string;
  /** What runs a command there. */
  prefix(index: number): readonly string[];
  /** From here on nothing that one sends reaches the other; it can still hear it. */
  cutOneWay(from: number, to: number): void;
  cut(a: number, b: number): void;
  heal(): void;
  /** Loses that share of all packets between machines, whichever way. Null: it does; else why it cannot. */
  losePackets(percent: number): string | null;
  /** Packets that were lost so since. */
  packetsLost(): number;
  /** What a machine sends to the others goes out at no more than so many bits a second. Null: it does; else why not. */
  slowDown(index: number, rate: string): string | null;
  /** Ends both. */
  unshape(): void;
}

let made = 0;
const NOWHERE = '02:00:00:00:00:01';

/** Null: not allowed here; the reason is logged with the test. */
export function machines(t: ExecutionContext, count: number): Machines | null {
  // The kernel takes its time to forget a name.
  const id = `f${((process.pid * 16 + made) % 0xfffff).toString(16)}`;
  // Tests of several files run at once, each with a process of its own.
  const number = (process.pid * 8 + made) % 8192;
  const subnet = (side: 1 | 2) => `10.${64 + (number & 127)}.${2 * (number >> 7) + side}`;
  made++;
  const names = Array.from({ length: count }, (_, index) => `${id}n${index}`);
  const network = (index: number) => `${subnet(1)}.${index + 1}`;
  const clients = (index: number) => `${subnet(2)}.${index + 1}`;
  t.teardown(() => {
    for (const name of names) ip(['netns', 'del', name]);
    for (const bridge of [`${id}b1`, `${id}b2`]) ip(['link', 'del', bridge]);
  });
  try {
    for (const [at, bridge] of [`${id}b1`, `${id}b2`].entries()) {
      must(['link', 'add', bridge, 'type', 'bridge']);
      must(['link', 'set', bridge, 'up']);
      if (at === 1) must(['addr', 'add', `${subnet(2)}.254/24`, 'dev', bridge]);
    }
    for (const [index, name] of names.entries()) {
      must(['netns', 'add', name]);
      must(['-n', name, 'link', 'set', 'lo', 'up']);
      for (const [side, address] of [network(index), clients(index)].entries()) {
        const outer = `${name}o${side}`;
        must(['link', 'add', outer, 'type', 'veth', 'peer', 'name', `e${side}`, 'netns', name]);
        must(['link', 'set', outer, 'master', `${id}b${side + 1}`]);
        must(['link', 'set', outer, 'up']);
        must(['-n', name, 'addr', 'add', `${address}/24`, 'dev', `e${side}`]);
        must(['-n', name, 'link', 'set', `e${side}`, 'up']);
      }
    }
  } catch (error) {
    t.log(`skipped: no network namespaces here: ${(error as Error).message}`);
    return null;
  }
  const hardware = names.map((name) => macOf(name));
  const neighbour = (from: number, to: number, mac: string) =>
    must([
      '-n',
      names[from] as string,
      'neigh',
      'replace',
      network(to),
      'lladdr',
      mac,
      'dev',
      'e0',
      'nud',
      'permanent',
    ]);
  const cutOneWay = (from: number, to: number) => neighbour(from, to, NOWHERE);
  return {
    network,
    clients,
    prefix: (index) => ['ip', 'netns', 'exec', names[index] as string],
    cutOneWay,
    cut: (a, b) => {
      cutOneWay(a, b);
      cutOneWay(b, a);
    },
    heal: () => {
      for (let from = 0; from < count; from++)
        for (let to = 0; to < count; to++) if (from !== to) neighbour(from, to, hardware[to] as string);
    },
    losePackets: (percent) => {
      const netem = names.map((name) => shape(name, 'netem', 'loss', `${percent}%`));
      if (netem.every((trouble) => trouble === null)) return null;
      const nft = names.map((name) => dropAtRandom(name, percent));
      const troubles = nft.filter((trouble) => trouble !== null);
      return troubles.length === 0 ? null : `${netem[0]}; ${troubles[0]}`;
    },
    packetsLost: () => names.reduce((sum, name) => sum + droppedAt(name), 0),
    slowDown: (index, rate) =>
      shape(names[index] as string, 'tbf', 'rate', rate, 'burst', '16kb', 'latency', '100ms'),
    unshape: () => {
      for (const name of names) {
        run('tc', ['-n', name, 'qdisc', 'del', 'dev', 'e0', 'root']);
        run('ip', ['netns', 'exec', name, 'nft', 'flush', 'ruleset']);
      }
    },
  };
}

/** Null: what goes out on the relays' side is queued like that from here on; else why it is not. */
function shape(name: string, ...discipline: readonly string[]): string | null {
  const { status, stderr, error } = run('tc', [
    '-n',
    name,
    'qdisc',
    'replace',
    'dev',
    'e0',
    'root',
    ...discipline,
  ]);
  return status === 0 ? null : `tc ${discipline[0]}: ${error?.message ?? lineOf(stderr)}`;
}

/** What netem does on the way out, for kernels that have no netem: the firewall does it on the way in. */
function dropAtRandom(name: string, percent: number): string | null {
  const rules = `table inet loss {
    chain in {
      type filter hook input priority 0;
      iifname "e0" numgen random mod 100 < ${percent} counter drop
    }
  }`;
  const { status, stderr, error } = run('ip', ['netns', 'exec', name, 'nft', '-f', '-'], rules);
  return status === 0 ? null : `nft numgen: ${error?.message ?? lineOf(stderr)}`;
}

function droppedAt(name: string): number {
  const queue = run('tc', ['-n', name, '-s', 'qdisc', 'show', 'dev', 'e0']).stdout;
  const rules = run('ip', ['netns', 'exec', name, 'nft', 'list', 'ruleset']).stdout ?? '';
  const count = (pattern: RegExp, text: string) => Number(pattern.exec(text)?.[1] ?? 0);
  return count(/dropped (\d+)/, queue) + count(/counter packets (\d+)/, rules);
}

/** The first line of what a command complains of. */
function lineOf(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

function macOf(name: string): string {
  const { stdout } = run('ip', ['-n', name, '-o', 'link', 'show', 'e0']);
  const [, mac] = /link\/ether ([0-9a-f:]+)/.exec(stdout) ?? [];
  if (mac === undefined) throw new Error(`no hardware address: ${stdout}`);
  return mac;
}

function must(args: readonly string[]): void {
  const { status, stderr, error } = ip(args);
  if (status !== 0) throw new Error(error?.message ?? `ip ${args.join(' ')}: ${stderr.trim()}`);
}

function ip(args: readonly string[]): ReturnType<typeof run> {
  return run('ip', args);
}

/** Where the system has its commands, and nobody else: a package of npm has one of the name `nft`, too. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function run(command: string, args: readonly string[], input = '') {
  return spawnSync(command, [...args], { encoding: 'utf8', input, env: { PATH } });
}

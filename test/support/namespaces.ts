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
  /** Shapes what a machine sends to the others. False: the kernel cannot. */
  shape(index: number, ...discipline: readonly string[]): boolean;
}

let made = 0;
const NOWHERE = '02:00:00:00:00:01';

/** Null: not allowed here; the reason is logged with the test. */
export function machines(t: ExecutionContext, count: number): Machines | null {
  // The kernel takes its time to forget a name.
  const id = `f${((process.pid * 16 + made) % 0xfffff).toString(16)}`;
  const subnet = 64 + ((process.pid * 8 + made) % 128);
  made++;
  const names = Array.from({ length: count }, (_, index) => `${id}n${index}`);
  const network = (index: number) => `10.${subnet}.1.${index + 1}`;
  const clients = (index: number) => `10.${subnet}.2.${index + 1}`;
  t.teardown(() => {
    for (const name of names) ip(['netns', 'del', name]);
    for (const bridge of [`${id}b1`, `${id}b2`]) ip(['link', 'del', bridge]);
  });
  try {
    for (const [at, bridge] of [`${id}b1`, `${id}b2`].entries()) {
      must(['link', 'add', bridge, 'type', 'bridge']);
      must(['link', 'set', bridge, 'up']);
      if (at === 1) must(['addr', 'add', `10.${subnet}.2.254/24`, 'dev', bridge]);
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
    shape: (index, ...discipline) =>
      run('tc', ['-n', names[index] as string, 'qdisc', 'replace', 'dev', 'e0', 'root', ...discipline])
        .status === 0,
  };
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

function run(command: string, args: readonly string[]) {
  return spawnSync(command, [...args], { encoding: 'utf8' });
}

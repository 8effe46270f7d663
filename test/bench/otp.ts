import { bareNact, type Contestant, Gate, layer, tokenEach } from './otp-contestants.ts';

/**
 * What the layer costs, beside bare nact and beside a nact actor per process with a mailbox of its own and one token
 * each. Run: `npm run bench:otp` (about 15 s). Times are medians in µs; believe the ratios.
 */

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Runs `round` for about `budget` milliseconds, after as much warming up. Returns µs per operation. */
async function perOperation(
  operations: number,
  budget: number,
  round: () => Promise<void> | void,
): Promise<number> {
  const times: number[] = [];
  const begin = performance.now();
  while (performance.now() - begin < budget * 1.5 || times.length < 4) {
    await turn();
    const at = performance.now();
    await round();
    times.push(((performance.now() - at) * 1000) / operations);
  }
  return median(times.slice(Math.floor(times.length / 3)));
}

function heapUsed(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

async function measure<Member>(contestant: Contestant<Member>, gate: Gate): Promise<Record<string, number>> {
  const results: Record<string, number> = {};
  const BURST = 1000;
  const one = contestant.spawn();
  results['send, 1 message in a turn'] = await perOperation(1, 300, async () => {
    const all = gate.expect(1);
    contestant.burst(one, 1);
    await all;
  });
  results['send, 1,000 messages to one'] = await perOperation(BURST, 400, async () => {
    const all = gate.expect(BURST);
    contestant.burst(one, BURST);
    await all;
  });
  for (const count of [1000, 10_000]) {
    const members = Array.from({ length: count }, () => contestant.spawn());
    results[`hop, ${count.toLocaleString('en')} members`] = await perOperation(count, 800, async () => {
      const all = gate.expect(count);
      contestant.fanOut(members);
      await all;
    });
    contestant.stop(members);
    await turn();
  }
  results['spawn and stop'] = await perOperation(500, 600, () => {
    contestant.stop(Array.from({ length: 500 }, () => contestant.spawn()));
  });
  const before = heapUsed();
  const idle = Array.from({ length: 20_000 }, () => contestant.spawn());
  results['bytes per idle process'] = (heapUsed() - before) / idle.length - 8;
  contestant.stop(idle);

  // A parent of its own warms up: the first child is to be compared, not the first run of the code.
  await contestant.addChildren().add(1000);
  const parent = contestant.addChildren();
  const begin: number[] = [];
  const end: number[] = [];
  const time = async (into: number[]) => {
    const at = performance.now();
    await parent.add(20);
    into.push(((performance.now() - at) * 1000) / 20);
  };
  for (let i = 0; i < 5; i++) await time(begin);
  await parent.fill(19_800);
  for (let i = 0; i < 5; i++) await time(end);
  results['add a child, the first 100'] = median(begin);
  results['add a child, the 20,000th'] = median(end);
  return results;
}

/** Two medians of one thing differ by as much on a noisy machine. */
const NOISE = 1.2;

async function main(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  const columns: { name: string; results: Record<string, number> }[] = [];
  for (const make of [layer, bareNact, tokenEach] as const) {
    const gate = new Gate();
    const contestant = make(gate) as Contestant<unknown>;
    columns.push({ name: contestant.name, results: await measure(contestant, gate) });
  }
  const [ours, nact, tokens] = columns.map(({ results }) => results) as [
    Record<string, number>,
    Record<string, number>,
    Record<string, number>,
  ];
  const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(3));
  const rows = Object.keys(ours).map((what) => {
    const [a, b, c] = [ours[what] as number, nact[what] as number, tokens[what] as number];
    return [what, digits(a), digits(b), digits(c), (a / b).toFixed(2), (a / c).toFixed(2)];
  });
  const lines = [['µs, or bytes', ...columns.map(({ name }) => name), 'to nact', 'to tokens'], ...rows];
  for (const [what, ...cells] of lines) {
    console.log(`${String(what).padEnd(30)}${cells.map((cell) => cell.padStart(12)).join('')}`);
  }
  const verdict = (text: string, met: boolean) => console.log(`${met ? 'met   ' : 'MISSED'} ${text}`);
  console.log('\ntargets');
  for (const count of ['1,000', '10,000']) {
    const [a, b] = [ours[`hop, ${count} members`] as number, nact[`hop, ${count} members`] as number];
    verdict(`a hop to ${count} members costs at most bare nact's`, a <= b);
  }
  verdict('an idle process takes at most 2 KB', (ours['bytes per idle process'] as number) <= 2048);
  const [first, last] = [ours['add a child, the first 100'], ours['add a child, the 20,000th']];
  verdict('the 20,000th child is no dearer than the first', (last as number) <= (first as number) * NOISE);
}

await main();
process.exit(0);

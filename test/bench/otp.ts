import { dispatch, Nobody, type Ref, spawn, start, stop } from 'nact';
import { type Behaviour, keep } from '../../src/otp/behaviour.ts';
import { dynamicSupervisor, startDynamicChild } from '../../src/otp/dynamic-supervisor.ts';
import { exit, type Pid, send } from '../../src/otp/process.ts';
import { processName, whereis } from '../../src/otp/registry.ts';
import { supervisor } from '../../src/otp/supervisor.ts';
import { System } from '../../src/otp/system.ts';

/**
 * What the layer costs, beside bare nact and beside a nact actor per process with a mailbox of its own and one token
 * each. Run: `npm run bench:otp` (about 15 s). Times are medians in µs; believe the ratios.
 */

const NOBODY = new Nobody();
/** The sender is missing from nact's types. */
const dispatchFrom = dispatch as <M>(to: Ref<M>, message: M, sender: Nobody) => void;

/** Counts handled messages, and says when as many as expected have been. */
class Gate {
  #left = 0;
  #open: () => void = () => undefined;

  expect(count: number): Promise<void> {
    this.#left = count;
    return new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  pass(): void {
    if (--this.#left === 0) this.#open();
  }
}

interface Contestant<Member> {
  readonly name: string;
  spawn(): Member;
  /** One message to each. */
  fanOut(members: readonly Member[]): void;
  /** Many messages to one. */
  burst(member: Member, count: number): void;
  stop(members: readonly Member[]): void;
  /** Makes a supervisor (a parent that is told to add children): returns how to add many, told one by one. */
  addChildren(): { fill(count: number): Promise<void>; add(count: number): Promise<void> };
}

const MESSAGE = { type: 'delivery' } as const;
type Message = typeof MESSAGE;

function layer(gate: Gate): Contestant<Pid<Message>> {
  const system = new System();
  const member: Behaviour<null, null, Message> = {
    name: 'member',
    init: () => null,
    handle: () => {
      gate.pass();
      return keep;
    },
  };
  return {
    name: 'otp layer',
    spawn() {
      const result = system.spawn(member, null);
      if (!result.ok) throw new Error('spawn failed');
      return result.pid;
    },
    fanOut(members) {
      for (const pid of members) send(pid, MESSAGE);
    },
    burst(pid, count) {
      for (let i = 0; i < count; i++) send(pid, MESSAGE);
    },
    stop(members) {
      for (const pid of members) exit(pid, 'shutdown');
    },
    addChildren() {
      const name = processName<Parameters<typeof send>[1]>('members');
      const spec = dynamicSupervisor<null, null, Message>(
        'members',
        { behaviour: member, restart: 'temporary' },
        { name },
      );
      supervisor('root', {}, [spec]).start(system, {});
      const parent = whereis(system, name) as Parameters<typeof startDynamicChild>[0];
      const add = async (count: number) => {
        const all = gate.expect(count);
        for (let i = 0; i < count; i++) startDynamicChild(parent, null, () => gate.pass());
        await all;
      };
      return { fill: add, add };
    },
  };
}

function bareNact(gate: Gate): Contestant<Ref<Message>> {
  const system = start();
  const container = spawn(system, () => undefined, 'members') as Ref<unknown>;
  let names = 0;
  const spawnUnder = (parent: Ref<unknown>): Ref<Message> =>
    spawn(
      parent,
      (state = null) => {
        gate.pass();
        return state;
      },
      `m${++names}`,
    );
  return {
    name: 'bare nact',
    spawn: () => spawnUnder(container),
    fanOut(members) {
      for (const ref of members) dispatchFrom(ref, MESSAGE, NOBODY);
    },
    burst(ref, count) {
      for (let i = 0; i < count; i++) dispatchFrom(ref, MESSAGE, NOBODY);
    },
    stop(members) {
      for (const ref of members) stop(ref);
    },
    addChildren: () => nactParent(gate, system, spawnUnder),
  };
}

/** The shape that a layer has without a run queue: nact wakes each process with a token of its own. */
function tokenEach(gate: Gate): Contestant<TokenProcess> {
  const system = start();
  const container = spawn(system, () => undefined, 'members') as Ref<unknown>;
  let names = 0;
  const spawnUnder = (parent: Ref<unknown>) => new TokenProcess(parent, `m${++names}`, () => gate.pass());
  return {
    name: 'token each',
    spawn: () => spawnUnder(container),
    fanOut(members) {
      for (const process of members) process.send(MESSAGE);
    },
    burst(process, count) {
      for (let i = 0; i < count; i++) process.send(MESSAGE);
    },
    stop(members) {
      for (const process of members) stop(process.actor);
    },
    addChildren: () => nactParent(gate, system, spawnUnder),
  };
}

class TokenProcess {
  readonly actor: Ref<string>;
  #mailbox: Message[] = [];

  constructor(parent: Ref<unknown>, name: string, handle: (message: Message) => void) {
    this.actor = spawn(
      parent,
      () => {
        const batch = this.#mailbox;
        this.#mailbox = [];
        for (const message of batch) handle(message);
      },
      name,
    );
  }

  send(message: Message): void {
    if (this.#mailbox.push(message) === 1) dispatchFrom(this.actor, 'run', NOBODY);
  }
}

/** A nact actor that adds a child to itself when told to; nact copies its map of children for each message. */
function nactParent(gate: Gate, system: Ref<unknown>, spawnUnder: (parent: Ref<unknown>) => unknown) {
  const children: unknown[] = [];
  const parent: Ref<string> = spawn(
    system,
    () => {
      children.push(spawnUnder(parent));
      gate.pass();
    },
    'parent',
  );
  return {
    async fill(count: number) {
      for (let i = 0; i < count; i++) children.push(spawnUnder(parent));
    },
    async add(count: number) {
      const all = gate.expect(count);
      for (let i = 0; i < count; i++) dispatchFrom(parent, 'add', NOBODY);
      await all;
    },
  };
}

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

/** The columns, each measured in turn; twice, so that the first one does not pay for a cold machine. */
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
  verdict('the 20,000th child is no dearer than the first', (last as number) <= (first as number));
}

await main();
process.exit(0);

import { dispatch, Nobody, type Ref, spawn, start, stop } from 'nact';
import { type Behaviour, keep } from '../../src/otp/behaviour.ts';
import { dynamicSupervisor, startDynamicChild } from '../../src/otp/dynamic-supervisor.ts';
import { spawn as spawnProcess } from '../../src/otp/incarnation.ts';
import { type Pid, send } from '../../src/otp/process.ts';
import { processName, whereis } from '../../src/otp/registry.ts';
import { exit } from '../../src/otp/signal.ts';
import { supervisor } from '../../src/otp/supervisor.ts';
import { System } from '../../src/otp/system.ts';

/** The layer and the two ways of doing without it, made to do the same things. */

const NOBODY = new Nobody();
/** The sender is missing from nact's types. */
const dispatchFrom = dispatch as <M>(to: Ref<M>, message: M, sender: Nobody) => void;

/** Counts handled messages, and says when as many as expected have been. */
export class Gate {
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

export interface Contestant<Member> {
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

export function layer(gate: Gate): Contestant<Pid<Message>> {
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
      const result = spawnProcess(system, member, null);
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

export function bareNact(gate: Gate): Contestant<Ref<Message>> {
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
export function tokenEach(gate: Gate): Contestant<TokenProcess> {
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

let parents = 0;

/** A nact actor that adds a child to itself when told to; nact copies its map of children for each message. */
function nactParent(gate: Gate, system: Ref<unknown>, spawnUnder: (parent: Ref<unknown>) => unknown) {
  const children: unknown[] = [];
  const parent: Ref<string> = spawn(
    system,
    () => {
      children.push(spawnUnder(parent));
      gate.pass();
    },
    `parent${++parents}`,
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

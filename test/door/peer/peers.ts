import { batch, batchPart, forwardedFrame, messagesHeader } from '../../../src/door/peer/batch.ts';
import { encodePeerFrame, type Relay } from '../../../src/door/peer/codec.ts';
import {
  type DialledCommand,
  DialledSession,
  type Greeting,
} from '../../../src/door/peer/dialled-session.ts';
import type { ReceivedCounts } from '../../../src/door/peer/dialling-session.ts';
import { type DiallingCommand, DiallingSession } from '../../../src/door/peer/dialling-session.ts';
import { NumberedOutbox } from '../../../src/door/peer/numbered-outbox.ts';
import { NONCE_BYTES } from '../../../src/door/peer/session.ts';

export const near: Relay = { node: 'near', incarnation: 'n1' };
export const far: Relay = { node: 'far', incarnation: 'f1' };
export const key = Buffer.from('the secret');
export const TIMEOUT = 3000;
export const nonce = (byte: number) => Buffer.alloc(NONCE_BYTES, byte);

interface Known {
  readonly linked?: readonly string[];
  readonly counts?: ReadonlyMap<string, ReceivedCounts>;
}

export function dialling(
  given: Partial<ConstructorParameters<typeof DiallingSession>[0]> = {},
  { linked = [], counts = new Map() }: Known = {},
): DiallingSession {
  return new DiallingSession({
    self: near,
    known: {
      isLinked: (incarnation) => linked.includes(incarnation),
      countsOf: (node) => counts.get(node),
    },
    address: 'far:1',
    nonce: nonce(1),
    key,
    timeout: TIMEOUT,
    ...given,
  });
}

export function dialled(
  given: Partial<ConstructorParameters<typeof DialledSession>[0]> = {},
): DialledSession {
  return new DialledSession({
    self: far,
    nonce: nonce(2),
    key,
    stranger: null,
    timeout: TIMEOUT,
    version: 1,
    ...given,
  });
}

/** A frame that the two say to each other, or throws. */
export function said(command: DiallingCommand | Greeting | null): Buffer {
  if (command?.type !== 'say') throw new Error(`not said: ${command?.type}`);
  return encodePeerFrame(command.frame);
}

/** Both go through the handshake. Returns what the one that dials is to do then. */
export function introduce(
  one: DiallingSession,
  other: DialledSession,
  { outbox = new NumberedOutbox(), taken = 0, epoch = 1, now = 0 } = {},
): DiallingCommand | null {
  const challenge = said(other.greeted(encodePeerFrame(one.hello('far', 1))));
  const { type } = other.greeted(said(one.received(challenge, now)));
  if (type !== 'proved') throw new Error(type);
  return one.received(encodePeerFrame(other.welcome(outbox, taken, epoch, now)), now);
}

/** A batch whose messages are these numbers. */
export function numbers(list: readonly number[]): Buffer {
  return batch(
    'main',
    list.map((number) => batchPart({ kind: 'text', payload: Buffer.from(String(number)) }, 'c')),
  );
}

/** A frame of messages. */
export function frameOf(first: number, batches: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(batches);
  return Buffer.concat([messagesHeader(first, bytes.length).subarray(-9), bytes]);
}

/**
 * Two relays without sockets, of which one has dialled the other, and what is on its way between them. Time stands still
 * but for `now`.
 */
export class Peers {
  now = 0;
  /** What has come at the near relay, by the far one's start. */
  readonly came: number[] = [];
  readonly counts = new Map<string, ReceivedCounts>();
  outbox = new NumberedOutbox();
  /** The number before the first that the near relay has counted. */
  base = 0;
  /** Forwarded by the near relay, as it is told that they have been taken, and as they were. */
  confirmed = 0;
  taken = 0;
  /** Why connections have ended. */
  readonly ends: string[] = [];
  #near = near;
  #far = far;
  #dialling: DiallingSession | undefined = undefined;
  #dialled: DialledSession | undefined = undefined;
  #serving = false;
  readonly toNear: Buffer[] = [];
  readonly toFar: Buffer[] = [];

  get isLinked(): boolean {
    return this.#dialling?.phase === 'linked';
  }

  get received(): ReceivedCounts | undefined {
    return this.counts.get(this.#far.node);
  }

  /** A new connection; the one before, if there is one, has ended. */
  connect(): void {
    this.cut();
    this.#dialling = dialling({ self: this.#near }, { counts: this.counts });
    this.#dialled = dialled({ self: this.#far });
    this.toFar.push(encodePeerFrame(this.#dialling.hello(this.#far.node, 1)));
  }

  /** What was on its way is lost. */
  cut(): void {
    this.#dialling = undefined;
    this.#dialled = undefined;
    this.#serving = false;
    this.toNear.length = 0;
    this.toFar.length = 0;
    this.outbox.clear();
  }

  /** The far relay, which knows nothing any more. */
  restartFar(): void {
    this.cut();
    this.#far = { node: 'far', incarnation: `${this.#far.incarnation}'` };
    this.outbox = new NumberedOutbox();
    this.taken = 0;
    this.came.length = 0;
  }

  /** The near relay, which knows nothing any more: the far one counts for it from the beginning. */
  restartNear(): void {
    this.cut();
    this.#near = { node: 'near', incarnation: `${this.#near.incarnation}'` };
    this.counts.clear();
    this.outbox = new NumberedOutbox();
    this.taken = 0;
    this.came.length = 0;
  }

  /** The far relay has so many messages for the near one. */
  publish(count: number): void {
    if (!this.#serving) {
      this.outbox.drop(count, 'unlinked');
      return;
    }
    const { last } = this.outbox;
    this.outbox.push(numbers(Array.from({ length: count }, (_, index) => last + 1 + index)), count, 1);
  }

  flush(): void {
    const taken = this.outbox.take(100);
    if (taken.length === 0) return;
    this.toNear.push(
      frameOf(
        taken[0]?.first ?? 0,
        taken.map(({ bytes }) => bytes),
      ),
    );
    this.outbox.arrived();
  }

  forward(count: number): void {
    if (this.isLinked) this.toFar.push(forwardedFrame(0, [numbers(Array.from({ length: count }, () => 0))]));
  }

  /** Both send a heartbeat. */
  beat(): void {
    if (this.isLinked) {
      // More bytes than before: nobody is silent.
      const command = this.#dialling?.tick(++this.now, true, this.now) ?? null;
      if (command?.type === 'beat') this.toFar.push(encodePeerFrame(command.frame));
    }
    if (this.#serving && this.#dialled !== undefined) {
      this.#dialled.tick(++this.now, true, this.now);
      this.toNear.push(encodePeerFrame(this.#dialled.beat(this.taken)));
    }
  }

  /** The first frame on its way arrives. */
  arrive(where: 'near' | 'far'): void {
    const frame = (where === 'near' ? this.toNear : this.toFar).shift();
    if (frame === undefined) return;
    if (where === 'near') this.#atNear(this.#dialling?.received(frame, this.now) ?? null);
    else if (this.#serving) this.#atFar(this.#dialled?.received(frame, 0) ?? null);
    else if (this.#dialled !== undefined) this.#greeting(this.#dialled, this.#dialled.greeted(frame));
  }

  /** All that is on its way arrives, and what it brings about. */
  arriveAll(): void {
    while (this.toNear.length > 0 || this.toFar.length > 0) {
      this.arrive('near');
      this.arrive('far');
    }
  }

  #atNear(command: DiallingCommand | null): void {
    switch (command?.type) {
      case 'say':
        this.toFar.push(encodePeerFrame(command.frame));
        return;
      case 'linked':
        if (this.counts.get(command.peer.node) !== command.counts) this.base = command.counts.last;
        this.counts.set(command.peer.node, command.counts);
        this.confirmed = command.taken;
        return;
      case 'messages':
        for (const { messages } of command.batches) {
          this.#dialling?.take(messages.length);
          for (const { payload } of messages) this.came.push(Number(payload));
        }
        return;
      case 'taken':
        this.confirmed = command.count;
        return;
      case 'hang-up':
      case 'needless':
        this.#end(command.why);
    }
  }

  #greeting(session: DialledSession, greeting: Greeting): void {
    if (greeting.type === 'say') this.toNear.push(encodePeerFrame(greeting.frame));
    else if (greeting.type === 'proved') {
      this.#serving = true;
      this.toNear.push(encodePeerFrame(session.welcome(this.outbox, this.taken, 1, this.now)));
    } else this.#end(greeting.type);
  }

  #atFar(command: DialledCommand | null): void {
    if (command?.type === 'messages')
      for (const { messages } of command.batches) this.taken += messages.length;
    else if (command?.type === 'hang-up') this.#end(command.why);
  }

  #end(why: string): void {
    this.ends.push(why);
    this.cut();
  }
}

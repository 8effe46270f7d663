import type { Frame, ScriptedSocket } from './world.ts';

interface Kept {
  readonly offset: number;
  readonly content: unknown;
}

/** One channel as a relay numbers and keeps it. Holes: numbers of messages that nobody gets. */
export class ModelChannel {
  epoch = 'e1';
  last = 0;
  kept: Kept[] = [];
  readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get at(): string {
    return `${this.epoch}:${this.last}`;
  }

  take(content: unknown): void {
    this.last++;
    this.kept = [...this.kept, { offset: this.last, content }].slice(-this.capacity);
  }

  /** What a subscribe with `since` gets: the answer, and then these. */
  resume(since: unknown): { readonly answer: Frame; readonly replay: readonly Kept[] } {
    const [, epoch, offset] = /^(\w+):(\d+)$/.exec(String(since)) ?? [];
    if (epoch === undefined) {
      const replay = since === 'all' ? this.kept : since === 'last' ? this.kept.slice(-1) : [];
      return { answer: this.#answer(replay), replay };
    }
    if (epoch !== this.epoch || Number(offset) > this.last)
      return {
        answer: { ...this.#answer([]), recovered: false, missed: null, why: 'unknown_epoch' },
        replay: [],
      };
    const replay = this.kept.filter((one) => one.offset > Number(offset));
    const missed = this.last - Number(offset) - replay.length;
    const how = missed === 0 ? { recovered: true } : { recovered: false, missed, why: 'too_old' };
    return { answer: { ...this.#answer(replay), ...how }, replay };
  }

  #answer(replay: readonly Kept[]): Frame {
    const [first] = replay;
    if (first === undefined) return { type: 'subscribe_ok', at: this.at };
    return { type: 'subscribe_ok', at: `${this.epoch}:${first.offset - 1}`, until: this.at };
  }
}

/** A relay over scripted sockets. What either side sends is on its way until it is moved on, or lost with its socket. */
export class ModelRelay {
  readonly channel: ModelChannel | null;
  /** Answers to a subscribe that have reached a client. */
  answers = 0;
  readonly #members = new Map<ScriptedSocket, Set<string>>();
  readonly #outward = new Map<ScriptedSocket, Frame[]>();

  /** Null: it keeps nothing, and numbers nothing. */
  constructor(channel: ModelChannel | null) {
    this.channel = channel;
  }

  accept(socket: ScriptedSocket): void {
    this.#members.set(socket, new Set());
    this.#outward.set(socket, [{ type: 'hello', protocol: 'fanfare.1' }]);
  }

  has(socket: ScriptedSocket): boolean {
    return this.#members.has(socket);
  }

  publish(content: unknown): void {
    this.channel?.take(content);
    for (const [socket, members] of this.#members)
      if (members.has('c')) this.#say(socket, this.#publication(content));
  }

  /** A message is lost in the relay: all members are told. */
  hole(): void {
    const { channel } = this;
    if (channel === null) return;
    const from = channel.at;
    channel.last++;
    const gap = { type: 'gap', channel: 'c', from, to: channel.at, missed: 1, why: 'link' };
    for (const [socket, members] of this.#members) if (members.has('c')) this.#say(socket, gap);
  }

  /** A new life: nothing is kept, and nobody knows the positions of before. */
  restart(): void {
    for (const socket of this.#members.keys()) this.cut(socket);
    if (this.channel === null) return;
    this.channel.epoch += 'x';
    this.channel.last = 0;
    this.channel.kept = [];
  }

  /** Reads up to so many frames of a client. */
  read(socket: ScriptedSocket, count: number): void {
    for (let left = count; left > 0 && this.has(socket); left--) {
      const frame = socket.take();
      if (frame === undefined) return;
      this.#received(socket, frame);
    }
  }

  /** So many frames reach a client. */
  deliver(socket: ScriptedSocket, count: number): void {
    const frames = this.#outward.get(socket)?.splice(0, count) ?? [];
    if (socket.isOpen) this.answers += frames.filter(({ type }) => type === 'subscribe_ok').length;
    socket.say(...frames);
  }

  /** The connection breaks with what is on its way. */
  cut(socket: ScriptedSocket): void {
    this.lose(socket);
    socket.end();
  }

  /** It breaks, and the client does not hear of it. */
  lose(socket: ScriptedSocket): void {
    this.#members.delete(socket);
    this.#outward.delete(socket);
  }

  #received(socket: ScriptedSocket, { type, channel, since }: Frame): void {
    const members = this.#members.get(socket);
    if (members === undefined) return;
    if (type === 'ping') this.#say(socket, { type: 'pong' });
    if (type === 'unsubscribe') {
      members.delete(String(channel));
      this.#say(socket, { type: 'unsubscribe_ok', channel });
    }
    if (type !== 'subscribe') return;
    const isMember = members.has(String(channel));
    members.add(String(channel));
    if (this.channel === null || isMember) this.#say(socket, { type: 'subscribe_ok', channel });
    else {
      const { answer, replay } = this.channel.resume(since);
      this.#say(socket, { ...answer, channel });
      for (const { offset, content } of replay)
        this.#say(socket, { type: 'publish', channel, content, at: `${this.channel.epoch}:${offset}` });
    }
  }

  #publication(content: unknown): Frame {
    const at = this.channel === null ? {} : { at: this.channel.at };
    return { type: 'publish', channel: 'c', content, ...at };
  }

  #say(socket: ScriptedSocket, frame: Frame): void {
    this.#outward.get(socket)?.push(frame);
  }
}

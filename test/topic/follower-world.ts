import {
  Follower,
  PATIENCE,
  type Place,
  type Placed,
  type Step,
  sharedOf,
} from '../../src/topic/follower.ts';
import type { LineChange } from '../../src/topic/line-change.ts';
import { type Ancestor, newEpoch, type Position } from '../../src/topic/position.ts';

/** A batch in the model: its messages are numbers, of which there is each one once. */
export interface Batch extends Placed {
  readonly ids: readonly number[];
}

type Frame =
  | { readonly type: 'batch'; readonly batch: Batch }
  | { readonly type: 'resume'; readonly since: string }
  | { readonly type: 'forward'; readonly id: number };

/** What a member of a relay sees. */
export type Seen =
  | { readonly type: 'message'; readonly epoch: string; readonly offset: number; readonly id: number }
  | { readonly type: 'gap' };

/** What a topic's line is to the follower, as simple as can be: an array. */
class PlainLine {
  epoch = newEpoch(1);
  last = 0;
  lineage: readonly Ancestor[] = [];
  kept: { readonly offset: number; readonly id: number | null }[] = [];

  take(id: number): void {
    this.kept.push({ offset: ++this.last, id });
  }

  change(change: LineChange): boolean {
    switch (change.type) {
      case 'hole':
        for (let left = change.count ?? 1; left > 0; left--)
          this.kept.push({ offset: ++this.last, id: null });
        return true;
      case 'truncate':
        this.last = change.last;
        this.kept = this.kept.filter(({ offset }) => offset <= change.last);
        this.lineage = this.lineage.map(({ epoch, end }) => ({ epoch, end: Math.min(end, change.last) }));
        this.#descend(change);
        return true;
      case 'continue':
        this.#descend(change);
        return false;
      case 'adopt':
        this.epoch = change.position.epoch;
        this.last = change.position.offset;
        this.lineage = change.lineage ?? [];
        this.kept = [];
        return true;
      case 'skip':
        return true;
    }
  }

  /** The offset that a position stands for, and whether what is behind it may be told to be all; null: unknown. */
  find({ epoch, offset }: Position): { readonly offset: number; readonly isSure: boolean } | null {
    if (epoch === this.epoch) return offset <= this.last ? { offset, isSure: true } : null;
    const ancestor = this.lineage.find((one) => one.epoch === epoch);
    if (ancestor === undefined) return null;
    return { offset: Math.min(offset, ancestor.end), isSure: offset <= ancestor.end };
  }

  /** What is kept behind an offset; null: not everything is. */
  behind(from: number): readonly number[] | null {
    const ids: number[] = [];
    for (let offset = from + 1; offset <= this.last; offset++) {
      const id = this.kept.find((one) => one.offset === offset)?.id ?? null;
      if (id === null) return null;
      ids.push(id);
    }
    return ids;
  }

  #descend({ epoch, lineage }: { readonly epoch: string; readonly lineage?: readonly Ancestor[] }): void {
    this.lineage = lineage ?? [{ epoch: this.epoch, end: this.last }, ...this.lineage].slice(0, 8);
    this.epoch = epoch;
  }
}

export class Relay {
  readonly name: string;
  line = new PlainLine();
  follower: Follower<Batch>;
  seen: Seen[] = [];
  isAlive = true;
  readonly linked = new Set<string>();
  readonly #world: World;
  #held: number[] = [];
  #settlingSince: number | null = null;
  /** All others that can be reached have been asked, and none has been linked since. */
  #hasGathered = false;
  /** The relay that was asked last. */
  #asked: string | null = null;
  #asking: { readonly from: string; readonly since: string }[] = [];

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
    this.follower = new Follower(() => this.line, false, world.isKept);
  }

  get home(): string {
    return [this.name, ...this.linked].sort()[0] as string;
  }

  get isHome(): boolean {
    return this.home === this.name;
  }

  publish(id: number, hops = 0): void {
    if (!this.isHome) {
      if (hops < 2) this.#world.send(this.name, this.home, { type: 'forward', id });
    } else if (this.follower.mode === 'following' && this.#hasGathered && !this.follower.isWaiting) {
      this.#lead();
      this.#number(id);
    } else if (this.follower.mode !== 'leading') {
      this.#held.push(id);
      this.#settle();
    } else this.#number(id);
  }

  heard(from: string, frame: Frame): void {
    switch (frame.type) {
      case 'forward':
        this.publish(frame.id, 1);
        return;
      case 'batch':
        this.#perform(this.follower.take(frame.batch, this.#world.now, this.isHome));
        this.#settled();
        this.#answerAll();
        return;
      case 'resume':
        this.#resume(from, frame.since);
    }
  }

  /** Somebody joins, and is to be told where the line stands. */
  join(): void {
    if (this.isHome && this.follower.mode !== 'leading' && !this.#hasGathered) this.#settle();
  }

  /** A link is made again: what it has missed is asked for. */
  relinked(to: string): void {
    this.#hasGathered = false;
    if (this.home === to) this.#ask(to, false);
    this.#answerAll();
  }

  /** A link is lost: what was asked for over it is asked for elsewhere. */
  unlinked(): void {
    const { follower } = this;
    const isLinked = (relay: string) => this.linked.has(relay);
    if (!this.isAlive) return;
    if (follower.mode === 'settling') {
      follower.awaitsOnly(isLinked);
      this.#settled();
    } else if (follower.isAsking && this.#asked !== null && !isLinked(this.#asked)) {
      if (this.isHome) this.#settle();
      else this.#ask(this.home, false);
    }
    this.#answerAll();
  }

  tick(): void {
    this.#perform(
      this.follower.expire(this.#world.now, this.#asked !== null && this.linked.has(this.#asked)),
    );
    this.#settled();
    this.#answerAll();
  }

  /** The topic ends, and begins anew on the line that is kept. */
  restartTopic(): void {
    if (this.follower.mode === 'settling') return;
    this.follower = new Follower(() => this.line, this.follower.mode === 'leading', this.#world.isKept);
    // Who is a member then is another one.
    this.seen = [];
    this.#hasGathered = false;
    if (!this.isHome) this.#ask(this.home, true);
  }

  #number(id: number): void {
    this.line.take(id);
    const { epoch, last, lineage } = this.line;
    this.#world.begin(this.line);
    this.#world.truth.set(`${epoch}:${last}`, id);
    this.#see(id);
    const place: Place = { epoch, first: last, lineage: lineage.slice(0, 1) };
    const batch = { place, count: 1, isAnswer: false, from: this.name, ids: [id] };
    for (const to of this.linked) this.#world.send(this.name, to, { type: 'batch', batch });
  }

  #see(id: number): void {
    const { epoch, last } = this.line;
    const seen = { type: 'message', epoch, offset: last, id } as const;
    this.seen.push(seen);
    this.#world.seen.push(seen);
  }

  #settle(): void {
    if (this.follower.mode !== 'settling') this.follower.settle();
    this.#settlingSince ??= this.#world.now;
    this.follower.awaits(this.linked);
    for (const to of this.linked)
      this.#world.send(this.name, to, { type: 'resume', since: this.follower.since });
    this.#settled();
  }

  #settled(): void {
    const { follower } = this;
    if (follower.mode !== 'settling') return;
    if (!follower.isAnswered && this.#world.now - (this.#settlingSince ?? 0) < PATIENCE) return;
    this.#settlingSince = null;
    if (!this.isHome) {
      this.#perform(follower.abandon());
      this.#ask(this.home, false);
      for (const id of this.#held.splice(0)) this.publish(id);
      this.#answerAll();
      return;
    }
    if (this.#held.length === 0) {
      this.#perform(follower.stand(this.#world.now));
      this.#hasGathered = true;
    } else this.#lead();
    for (const id of this.#held.splice(0)) this.#number(id);
    this.#answerAll();
  }

  #lead(): void {
    this.#hasGathered = false;
    this.#perform(this.follower.lead(this.#world.now));
    this.#world.begin(this.line);
  }

  #resume(from: string, since: string): void {
    const { follower } = this;
    const knows = follower.mode === 'leading' || (follower.mode === 'following' && this.#hasGathered);
    if (this.isHome && (!knows || follower.isBehind(since))) {
      this.#asking.push({ from, since });
      if (follower.mode !== 'settling') this.#settle();
      return;
    }
    this.#asking.push({ from, since });
    if (this.#isEarly(from) && !follower.isAsking && follower.mode !== 'settling')
      this.#ask(this.home, false);
    this.#answerAll();
  }

  /** Another relay is the home for this one than for the one that asks. */
  #isEarly(from: string): boolean {
    return !this.isHome && this.home !== from && this.follower.mode !== 'apart';
  }

  #answerAll(): void {
    const { follower } = this;
    if (follower.mode === 'settling') return;
    for (const asking of this.#asking.splice(0))
      if (follower.isAsking && this.#isEarly(asking.from)) this.#asking.push(asking);
      else this.#answer(asking.from, asking.since);
  }

  #answer(to: string, since: string): void {
    const { line } = this;
    if (this.follower.since === '') {
      const nothing = { place: null, count: 0, isAnswer: true, from: this.name, ids: [] };
      this.#world.send(this.name, to, { type: 'batch', batch: nothing });
      return;
    }
    const from = sharedOf(line, since);
    const say = (first: number, ids: readonly number[]) => {
      const place = { epoch: line.epoch, first, lineage: line.lineage };
      const batch = { place, count: ids.length, isAnswer: true, from: this.name, ids };
      this.#world.send(this.name, to, { type: 'batch', batch });
    };
    for (const { offset, id } of line.kept)
      if (this.#world.isKept && offset > from && id !== null) say(offset, [id]);
    say(line.last + 1, []);
  }

  #ask(to: string, isFilling: boolean): void {
    this.#asked = to;
    this.follower.asks(this.#world.now, isFilling);
    this.#world.send(this.name, to, { type: 'resume', since: this.follower.since });
  }

  #perform(steps: readonly Step<Batch>[]): void {
    for (const step of steps) {
      switch (step.type) {
        case 'take':
          for (let i = step.from; i < step.to; i++) {
            this.line.take(step.batch.ids[i] as number);
            if (!step.isFill) this.#see(step.batch.ids[i] as number);
          }
          break;
        case 'change':
          if (this.line.change(step.change)) this.seen.push({ type: 'gap' });
          break;
        case 'filled':
          this.seen.push({ type: 'gap' });
          break;
        case 'ask':
          this.#asked = step.relay;
          this.#world.send(this.name, step.relay, { type: 'resume', since: this.follower.since });
          break;
        case 'settle':
          this.#settle();
      }
    }
  }
}

/** Relays, what is on its way between them, and what each position means. */
export class World {
  now = 0;
  /** All that any member has ever seen. */
  readonly seen: Extract<Seen, { readonly type: 'message' }>[] = [];
  /** Of each position that a home has given: the message. */
  readonly truth = new Map<string, number>();
  /** Of each epoch: what it continues. */
  readonly #begins = new Map<string, Ancestor | null>();
  readonly relays: Relay[];
  readonly #ways = new Map<string, Frame[]>();

  /** Whether relays keep what they have had. Where they do not, they can tell others only where they stand. */
  readonly isKept: boolean;

  constructor(size: number, isKept = true) {
    this.isKept = isKept;
    this.relays = Array.from({ length: size }, (_, i) => new Relay(`r${i}`, this));
    this.heal();
  }

  begin({ epoch, lineage }: PlainLine): void {
    if (!this.#begins.has(epoch)) this.#begins.set(epoch, lineage[0] ?? null);
  }

  /** The message that a position means. */
  meaning(epoch: string, offset: number): number | undefined {
    const continues = this.#begins.get(epoch);
    if (continues != null && offset <= continues.end) return this.meaning(continues.epoch, offset);
    return this.truth.get(`${epoch}:${offset}`);
  }

  send(from: string, to: string, frame: Frame): void {
    const one = this.relays.find(({ name }) => name === from);
    if (one?.linked.has(to)) this.way(from, to).push(frame);
  }

  way(from: string, to: string): Frame[] {
    const key = `${from} ${to}`;
    let way = this.#ways.get(key);
    if (way === undefined) {
      way = [];
      this.#ways.set(key, way);
    }
    return way;
  }

  /** A batch on its way is lost; an answer is not. */
  lose(from: Relay, to: Relay): void {
    const way = this.way(from.name, to.name);
    const index = way.findIndex((frame) => frame.type === 'batch' && !frame.batch.isAnswer);
    if (index !== -1) way.splice(index, 1);
  }

  arrive(from: Relay, to: Relay): void {
    const frame = this.way(from.name, to.name).shift();
    if (frame !== undefined && to.isAlive) to.heard(from.name, frame);
  }

  link(one: Relay, other: Relay): void {
    if (one === other || !one.isAlive || !other.isAlive || one.linked.has(other.name)) return;
    one.linked.add(other.name);
    other.linked.add(one.name);
    one.relinked(other.name);
    other.relinked(one.name);
  }

  cut(one: Relay, other: Relay): void {
    one.linked.delete(other.name);
    other.linked.delete(one.name);
    this.way(one.name, other.name).length = 0;
    this.way(other.name, one.name).length = 0;
    one.unlinked();
    other.unlinked();
  }

  /** The first relays hear nothing of the others. */
  split(first: number): void {
    for (const one of this.relays.slice(0, first))
      for (const other of this.relays.slice(first)) this.cut(one, other);
  }

  heal(): void {
    for (const one of this.relays) for (const other of this.relays) this.link(one, other);
  }

  /** The relay dies, and comes back with nothing. */
  restart(index: number): void {
    const dead = this.relays[index] as Relay;
    dead.isAlive = false;
    for (const other of this.relays) if (other !== dead) this.cut(dead, other);
    this.relays[index] = new Relay(dead.name, this);
  }

  /** All that is on its way arrives, and what it brings about. */
  flow(): void {
    let some = true;
    for (let i = 0; some && i < 10_000; i++) {
      some = false;
      for (const from of this.relays)
        for (const to of this.relays)
          if (this.way(from.name, to.name).length > 0) {
            some = true;
            this.arrive(from, to);
          }
    }
    if (some) throw new Error('it never ends');
  }

  /** The same, and all that is waited for is given up in the end. */
  calm(): void {
    for (let round = 0; round < 8; round++) {
      this.flow();
      this.now += PATIENCE;
      for (const relay of this.relays) relay.tick();
    }
  }
}

import type { LineChange } from './line-change.ts';
import { type Ancestor, formatPosition, newEpoch, type Position, parsePosition, rankOf } from './position.ts';

/** Where the first message of a batch stands in the line of its topic. */
export interface Place {
  readonly epoch: string;
  /** The offset of the first message; of a batch without any, of the one that comes next. */
  readonly first: number;
  /** Epochs that it continues, the latest first: all that are known in an answer, else the latest alone. */
  readonly lineage: readonly Ancestor[];
}

/** How far a line has come. */
export interface Tail {
  readonly epoch: string;
  readonly last: number;
  /** Epochs that it continues, the latest first. */
  readonly lineage: readonly Ancestor[];
}

/** Messages of another relay, which stand one behind the other. */
export interface Placed {
  readonly place: Place | null;
  readonly count: number;
  /** To what this relay has asked that one; without messages it ends the answer, and tells how far its line has come. */
  readonly isAnswer: boolean;
  /** The relay. */
  readonly from: string;
}

/** What is to be done, in this order. */
export type Step<Batch extends Placed> =
  /**
   * Messages of the batch, from the one of that index to before the other, are the next of the line. `isFill`: they are kept, and
   * go to nobody, since they may be older than whoever is a member now, or have come to it before.
   */
  | {
      readonly type: 'take';
      readonly batch: Batch;
      readonly from: number;
      readonly to: number;
      readonly isFill: boolean;
    }
  /** What was kept and went to nobody is over: members have missed it, or not. */
  | { readonly type: 'filled' }
  | { readonly type: 'change'; readonly change: LineChange }
  /** That relay is to be asked what it keeps behind `since`. */
  | { readonly type: 'ask'; readonly relay: string }
  /** This relay is the home of the topic, and another one has gone further: all are to be asked. */
  | { readonly type: 'settle' }
  | { readonly type: 'lose'; readonly count: number; readonly why: 'stale' | 'unreachable' };

/** Milliseconds for which what is missing is waited for before it is given up. */
export const PATIENCE = 1000;
/** A home that another relay contradicts again and again asks around no more often than this. */
const CALM = 1000;
/** Epochs that are remembered. */
const ANCESTORS = 8;

/** Of two epochs of one topic, the later is the one that counts everywhere. */
export function isLater(epoch: string, other: string): boolean {
  if (other === '') return epoch !== '';
  if (epoch === '') return false;
  const difference = rankOf(epoch) - rankOf(other);
  return difference === 0 ? epoch > other : difference > 0;
}

/** The positions of a tail for another relay that is asked what is behind it; '' if there is none. */
export function sinceOf({ epoch, last, lineage }: Tail): string {
  if (epoch === '') return '';
  const places = [{ epoch, end: last }, ...lineage];
  return places.map(({ epoch: of, end }) => formatPosition({ epoch: of, offset: end })).join(',');
}

/** What `sinceOf` has put together; what is no position is left out. */
export function positionsOf(since: string): readonly Position[] {
  return since.split(',').flatMap((text) => parsePosition(text) ?? []);
}

/**
 * Decides what becomes of the messages that come from other relays, in a topic that has one order for all relays. One of
 * them is its home, and gives each message its position. The others follow: each takes the home's messages in the order of
 * their positions, once, and asks for those that it has missed. What nobody can give any more is a hole, of which
 * it is known how large it is.
 *
 * following: the home is elsewhere, or nothing has been published here yet. settling: this relay is the home now, and has asked the others how
 * far they are. leading: it gives the positions. apart: messages come from a relay that tells no positions, and those that
 * they get here are this relay's alone; their epoch has rank 0, so that every other one is later.
 *
 * Two rules make a position the same message everywhere. An epoch is begun by one relay, and only that relay gives
 * positions in it. And a later epoch says at which offset it leaves the one before: whoever is beyond that offset forgets
 * what is behind it, and tells its members so. Pure; times in milliseconds.
 */
export class Follower<Batch extends Placed> {
  #mode: 'following' | 'settling' | 'leading' | 'apart';
  /** Of what has been taken, be it fanned out yet or not. While leading, and apart, the line is further. */
  #tail: Tail;
  /** The line once all that was taken is fanned out. */
  readonly #line: () => Tail;
  readonly #isKept: boolean;
  /** When another relay was asked for what is missing, and has not answered. */
  #askedAt: number | null = null;
  /** Another relay was asked, and has not answered, be it waited for or not; nor has a message come that follows. */
  #isUnsure = false;
  /** What comes as an answer is kept, and goes to nobody; and whether some has come. */
  #isFilling = false;
  #hasFilled = false;
  /** Some of what has been here has died. */
  #hasDied = false;
  /** No message has been here. */
  #isFresh: boolean;
  /** What was beyond the tail, and was let go of because the answer brings it again: the last batch, and how many. */
  #beyond: {
    readonly from: string;
    readonly place: Place;
    readonly to: number;
    readonly count: number;
    readonly at: number;
  } | null = null;
  /** Relays whose answers are waited for while settling, and what has come. */
  #awaited = new Set<string>();
  #answers: Batch[] = [];
  #settledAt = Number.NEGATIVE_INFINITY;
  /** The epoch that this relay began. */
  #own: string | null;

  /**
   * `leads`: the line's epoch was begun here. `isKept`: what is missing may be had from other relays. Where nothing is kept, nobody
   * is asked for it, and nothing that has come is let go of.
   */
  constructor(line: () => Tail, leads: boolean, isKept: boolean) {
    this.#line = line;
    this.#isKept = isKept;
    const tail = line();
    this.#tail = blankIfNew(tail);
    this.#isFresh = this.#tail.epoch === '' && !leads;
    this.#own = leads ? tail.epoch : null;
    this.#mode = leads ? 'leading' : 'following';
  }

  get mode(): 'following' | 'settling' | 'leading' | 'apart' {
    return this.#mode;
  }

  /** Where it stands, for other relays. */
  get since(): string {
    return sinceOf(this.#at());
  }

  /** Something is missing, or may be, and has been asked for: `expire` is to be called when it is late. */
  get isWaiting(): boolean {
    return this.#waitsSince !== null;
  }

  /** So long is it waited for; 0 where it is late, or nothing is. */
  remaining(now: number): number {
    const since = this.#waitsSince;
    return since === null ? 0 : Math.max(0, since + PATIENCE - now);
  }

  /** An answer is waited for. */
  get isAsking(): boolean {
    return this.#askedAt !== null;
  }

  /** Something may be missing here, and it is not known what: nobody is told that nothing is. */
  get isUnsure(): boolean {
    return this.#isUnsure;
  }

  /** Whether a position may be one that this relay has yet to hear of. */
  isAhead({ epoch, offset }: Position): boolean {
    if (this.#mode !== 'following') return false;
    const tail = this.#tail;
    if (epoch === tail.epoch) return offset > tail.last;
    return !tail.lineage.some((one) => one.epoch === epoch) && isLater(epoch, tail.epoch);
  }

  /** Another relay stands at a later epoch than the one in which this relay leads. */
  isBehind(since: string): boolean {
    if (this.#mode !== 'leading') return false;
    const epoch = this.#epoch;
    return positionsOf(since).some((position) => isLater(position.epoch, epoch));
  }

  /** What is missing is asked for now. `isFilling`: nobody here is a member. */
  asks(now: number, isFilling = false): void {
    this.#askedAt = now;
    this.#isUnsure = true;
    this.#isFilling ||= isFilling;
  }

  /** Nobody answers: there is no such link. */
  asksNobody(): void {
    this.#askedAt = null;
    this.#isFilling = false;
  }

  /** A batch has come. `isHome`: this relay is the home of the topic, as far as it can see. */
  take(batch: Batch, now: number, isHome: boolean): readonly Step<Batch>[] {
    const { place, count, isAnswer } = batch;
    if (this.#mode === 'settling') return this.#collect(batch);
    if (place === null) {
      if (isAnswer) return this.#answered(batch, null, now);
      return [...this.goApart(), { type: 'take', batch, from: 0, to: count, isFill: false }];
    }
    const epoch = this.#epoch;
    if (place.epoch !== epoch && !isLater(place.epoch, epoch)) {
      if (isAnswer) return count === 0 ? this.#answered(batch, null, now) : [];
      const steps: Step<Batch>[] = [];
      if (count > 0) steps.push({ type: 'lose', count, why: 'stale' });
      // Its relay has yet to hear of the later epoch: it does so by being asked.
      if (this.#mode === 'following' || !isHome) this.#ask(batch.from, now, steps);
      return steps;
    }
    if (this.#mode === 'leading' && place.epoch !== epoch && isHome) {
      if (now - this.#settledAt < CALM) return count > 0 ? [{ type: 'lose', count, why: 'stale' }] : [];
      this.settle();
      return [...this.#collect(batch), { type: 'settle' }];
    }
    if (place.epoch === epoch && epoch === this.#own)
      return isAnswer && count === 0 ? this.#answered(batch, null, now) : [];
    this.#follow();
    if (isAnswer) {
      const steps: Step<Batch>[] = [];
      this.#advance(batch, steps);
      if (count === 0) steps.push(...this.#answered(batch, place, now));
      return steps;
    }
    if (this.#isNext(place, count)) {
      const steps: Step<Batch>[] = [];
      if (this.#askedAt === null) this.#isUnsure = false;
      this.#advance(batch, steps);
      return steps;
    }
    return this.#missing(batch, now);
  }

  /** A relay that tells no positions is the home: those that its messages get here are this relay's alone. */
  goApart(): readonly Step<Batch>[] {
    if (this.#mode === 'apart') return [];
    const place = { epoch: newEpoch(0), first: 1, lineage: [] };
    this.#mode = 'apart';
    this.#own = place.epoch;
    this.#isFresh = false;
    this.#askedAt = null;
    this.#beyond = null;
    return [adopt(place)];
  }

  /**
   * It is late: what was asked for has not come, and is given up. `isLinked`: the relay that was asked can be reached. Otherwise it
   * is asked again when it can, or another home tells what there is.
   */
  expire(now: number, isLinked: boolean): readonly Step<Batch>[] {
    if (!this.isWaiting || this.remaining(now) > 0) return [];
    this.#askedAt = null;
    return isLinked ? this.#giveUp() : [];
  }

  /** This relay is the home: it asks how far the others are. Those that it has asked are told by `awaits`. */
  settle(): void {
    this.#tail = this.#at();
    this.#mode = 'settling';
    this.#answers = [];
    this.#awaited = new Set();
    this.#askedAt = null;
    this.#beyond = null;
  }

  awaits(relays: Iterable<string>): void {
    this.#awaited = new Set(relays);
  }

  /** A link is lost: of those that were asked, the others are waited for. */
  awaitsOnly(isLinked: (relay: string) => boolean): void {
    for (const relay of this.#awaited) if (!isLinked(relay)) this.#awaited.delete(relay);
  }

  /** All that were asked have answered. */
  get isAnswered(): boolean {
    return this.#awaited.size === 0;
  }

  /** Another relay is the home after all: what it has is to be asked for. */
  abandon(): readonly Step<Batch>[] {
    const steps: Step<Batch>[] = [];
    this.#takeAnswers(steps);
    this.#mode = 'following';
    return steps;
  }

  /**
   * All have answered, or had the time to, and nothing is to be published: others are told where the line stands. This relay goes
   * on in an epoch of its own, if that is still the latest. It begins none: its home may be cut off for a moment alone.
   */
  stand(now: number): readonly Step<Batch>[] {
    const steps: Step<Batch>[] = [];
    const best = this.#takeAnswers(steps);
    this.#endFill(steps);
    this.#isUnsure = false;
    if (best !== '' && best === this.#own) {
      this.#mode = 'leading';
      this.#settledAt = now;
      return steps;
    }
    this.#mode = 'following';
    if (this.#tail.epoch === '') this.#tail = copyOf(this.#line());
    return steps;
  }

  /** All have answered, or had the time to, and something is to be published: from here on this relay leads. */
  lead(now: number, random?: () => number): readonly Step<Batch>[] {
    const steps: Step<Batch>[] = [];
    const best = this.#takeAnswers(steps);
    this.#endFill(steps);
    if (best === '' || best !== this.#own) {
      // Nobody knows of a line that nothing was published to, but its epoch may have been begun elsewhere.
      const rank = rankOf(best === '' ? this.#line().epoch : best);
      const epoch = newEpoch(rank + 1, random);
      // Of what it continues, it may not have all: what is behind its own last message is not of this epoch.
      const lineage = descent(this.#tail, this.#tail.last, []);
      steps.push({
        type: 'change',
        change: { type: 'continue', epoch, ...(best === '' ? {} : { lineage }) },
      });
      this.#own = epoch;
    }
    this.#mode = 'leading';
    this.#isUnsure = false;
    this.#isFresh = false;
    this.#settledAt = now;
    return steps;
  }

  /** Returns the latest epoch that there is; '' if nothing was ever published. */
  #takeAnswers(steps: Step<Batch>[]): string {
    let { epoch: best } = this.#tail;
    for (const { place } of this.#answers)
      if (place !== null && isLater(place.epoch, best)) best = place.epoch;
    // Others have heard of this line, which nothing was published to, from here.
    if (this.#tail.epoch === '' && best === this.#line().epoch) this.#tail = copyOf(this.#line());
    // Of several answers, what one of them lacks is in another one: in the order of offsets nothing is skipped.
    const told = this.#answers.filter(({ place }) => place?.epoch === best);
    for (const { place, isAnswer, count } of this.#answers)
      if (!isAnswer && place?.epoch !== best && count > 0) steps.push({ type: 'lose', count, why: 'stale' });
    told.sort((a, b) => (a.place?.first ?? 0) - (b.place?.first ?? 0));
    for (const batch of told) {
      // Of what came unasked, an answer knows what precedes it, or it goes on where this relay is.
      const { place, isAnswer, count } = batch;
      if (isAnswer || (place !== null && this.#isNext(place, count))) this.#advance(batch, steps);
      else steps.push({ type: 'lose', count, why: 'stale' });
    }
    this.#answers = [];
    this.#awaited = new Set();
    return best;
  }

  get #waitsSince(): number | null {
    return this.#askedAt ?? (this.#mode === 'following' ? (this.#beyond?.at ?? null) : null);
  }

  /** The epoch of now. */
  get #epoch(): string {
    return this.#mode === 'leading' || this.#mode === 'apart' ? (this.#own ?? '') : this.#tail.epoch;
  }

  /** The tail of now. While this relay gives positions, the line knows. */
  #at(): Tail {
    if (this.#mode === 'following' || this.#mode === 'settling') return this.#tail;
    return blankIfNew(this.#line());
  }

  #follow(): void {
    this.#tail = this.#at();
    this.#mode = 'following';
  }

  #collect(batch: Batch): readonly Step<Batch>[] {
    const { place, count, isAnswer, from } = batch;
    if (isAnswer && count === 0) this.#awaited.delete(from);
    if (place !== null) this.#answers.push(batch);
    else if (count > 0) return [{ type: 'lose', count, why: 'stale' }];
    return [];
  }

  /** An answer is over. `place`: where the other relay stands; null: it knows nothing that counts. */
  #answered({ from }: Batch, place: Place | null, now: number): readonly Step<Batch>[] {
    const steps: Step<Batch>[] = [];
    this.#askedAt = null;
    this.#isUnsure = false;
    this.#endFill(steps);
    // Who knows nothing of what is missing may have yet to hear of it; the relay that has sent what is behind it knows.
    if (place !== null) this.#beyond = null;
    else if (this.#beyond !== null && this.#beyond.from !== from) this.#ask(this.#beyond.from, now, steps);
    return steps;
  }

  /** Whether nothing is missing before a batch. */
  #isNext(place: Place, count: number): boolean {
    const tail = this.#tail;
    const { first } = place;
    if (!this.#isKept) return count > 0;
    if (place.epoch === tail.epoch) return first <= tail.last + 1;
    const parting = partingOf(tail, place);
    if (parting === null) return tail.epoch === '' && first === 1 && place.lineage.length === 0;
    return count > 0 && first <= Math.min(tail.last, parting.last) + 1;
  }

  /** Something is missing before a batch: it is asked for, and the batch comes again behind it. */
  #missing(batch: Batch, now: number): readonly Step<Batch>[] {
    const { place, count } = batch;
    if (place === null) return [];
    const steps: Step<Batch>[] = [];
    if (this.#askedAt !== null && now - this.#askedAt >= PATIENCE) {
      this.#askedAt = null;
      steps.push(...this.#giveUp());
      this.#advance(batch, steps);
      return steps;
    }
    const counted = (this.#beyond?.count ?? 0) + count;
    const { from } = batch;
    this.#beyond = { from, place, to: place.first + count - 1, count: counted, at: now };
    this.#ask(batch.from, now, steps);
    return steps;
  }

  #ask(relay: string, now: number, steps: Step<Batch>[]): void {
    if (this.#askedAt !== null && now - this.#askedAt < PATIENCE) return;
    this.#askedAt = now;
    steps.push({ type: 'ask', relay });
  }

  /** What was beyond the tail does not come again. */
  #giveUp(): readonly Step<Batch>[] {
    const beyond = this.#beyond;
    this.#beyond = null;
    if (beyond === null) return [];
    const steps: Step<Batch>[] = [];
    const { place, to, count } = beyond;
    if (!isLater(this.#tail.epoch, place.epoch)) {
      this.#turn({ ...place, first: to + 1 }, steps);
      this.#skipTo(to, steps);
    }
    steps.push({ type: 'lose', count, why: 'unreachable' });
    return steps;
  }

  /** Takes what is new of a batch. What is missing before it is a hole. */
  #advance(batch: Batch, steps: Step<Batch>[]): void {
    const { place, count } = batch;
    if (place === null) return;
    const { first } = place;
    const end = first + count;
    let from = first;
    if (place.epoch !== this.#tail.epoch) {
      const parting = this.#leave(place, steps);
      // What both epochs have goes on in the one of before.
      if (parting !== null && first <= parting) {
        from = Math.min(end, parting + 1);
        this.#takeFrom(batch, first, from, steps);
        if (from <= parting) return;
      }
      if (parting !== null) this.#skipTo(parting, steps);
      this.#enter(place, steps);
    }
    this.#takeFrom(batch, from, end, steps);
  }

  /** Takes the messages with the offsets from one to before another, as far as they are new. */
  #takeFrom(batch: Batch, from: number, to: number, steps: Step<Batch>[]): void {
    const { first } = batch.place as Place;
    this.#skipTo(from - 1, steps);
    const begin = Math.max(from, this.#tail.last + 1);
    if (begin >= to) return;
    const isFill = this.#isKept && this.#isFilling && (batch.isAnswer || this.#mode === 'settling');
    if (isFill) this.#hasFilled = true;
    else this.#sayFilled(steps);
    this.#isFresh = false;
    steps.push({ type: 'take', batch, from: begin - first, to: to - first, isFill });
    this.#reach(to - 1);
  }

  /** The line goes on in the epoch of a place. */
  #turn(place: Place, steps: Step<Batch>[]): void {
    if (place.epoch === this.#tail.epoch) return;
    const parting = this.#leave(place, steps);
    if (parting !== null) this.#skipTo(parting, steps);
    this.#enter(place, steps);
  }

  /**
   * Forgets what the epoch of a place does not have. Returns the offset up to which the epoch of now goes on in it, if that
   * is still to come or just reached; null: nothing is known of how the two belong together, or the epoch is the other one by now.
   */
  #leave(place: Place, steps: Step<Batch>[]): number | null {
    const tail = this.#tail;
    const parting = partingOf(tail, place);
    if (parting === null) return null;
    const { last, isExact } = parting;
    if (tail.last <= last) return last;
    const lineage = descent(tail, last, place.lineage);
    const { epoch } = place;
    steps.push({ type: 'change', change: { type: 'truncate', epoch, last, lineage } });
    // They may have more than that, or the line comes back to what it has left before: then messages come again.
    this.#isFilling ||= !isExact || this.#hasDied;
    this.#hasDied = true;
    this.#tail = { epoch, last, lineage };
    return null;
  }

  /** The line goes on in another epoch, at the offset that it has come to, or where nothing of before counts. */
  #enter(place: Place, steps: Step<Batch>[]): void {
    const { epoch, first, lineage } = place;
    const tail = this.#tail;
    if (epoch === tail.epoch) return;
    if (partingOf(tail, place) === null) {
      steps.push(adopt(place));
      // What comes now under other positions may have come before.
      this.#isFilling ||= !this.#isFresh;
      this.#hasDied = true;
      this.#tail = { epoch, last: first - 1, lineage };
      return;
    }
    const merged = descent(tail, tail.last, lineage);
    steps.push({ type: 'change', change: { type: 'continue', epoch, lineage: merged } });
    this.#tail = { epoch, last: tail.last, lineage: merged };
  }

  #endFill(steps: Step<Batch>[]): void {
    this.#isFilling = false;
    this.#sayFilled(steps);
  }

  #sayFilled(steps: Step<Batch>[]): void {
    if (this.#hasFilled) steps.push({ type: 'filled' });
    this.#hasFilled = false;
  }

  #skipTo(last: number, steps: Step<Batch>[]): void {
    const count = last - this.#tail.last;
    if (count <= 0 || this.#tail.epoch === '') return;
    steps.push({ type: 'change', change: { type: 'hole', count, why: 'link' } });
    this.#reach(last);
  }

  #reach(last: number): void {
    this.#tail = { ...this.#tail, last };
  }
}

function adopt({ epoch, first, lineage }: Place): { readonly type: 'change'; readonly change: LineChange } {
  const position = { epoch, offset: first - 1 };
  return { type: 'change', change: { type: 'adopt', position, lineage, why: 'restarted' } };
}

function copyOf({ epoch, last, lineage }: Tail): Tail {
  return { epoch, last, lineage };
}

/** Of a line as it is now: a line goes on. One that nothing has been published to has an epoch that nobody knows. */
function blankIfNew(line: Tail): Tail {
  return line.last === 0 && line.lineage.length === 0 ? { epoch: '', last: 0, lineage: [] } : copyOf(line);
}

/**
 * The last offset that both have; null: nobody knows. Where both have left an epoch, they have what the shorter has of it; if
 * both have left it at one offset, they may have gone on together, in an epoch that is forgotten.
 */
function partingOf(
  { epoch, lineage }: Tail,
  place: Place,
): { readonly last: number; readonly isExact: boolean } | null {
  let parting: { readonly last: number; readonly isExact: boolean } | null = null;
  for (const ancestor of place.lineage) {
    const isOwn = ancestor.epoch === epoch;
    const own = isOwn ? ancestor : lineage.find((one) => one.epoch === ancestor.epoch);
    if (own === undefined) continue;
    const last = Math.min(own.end, ancestor.end);
    const isExact = isOwn || own.end !== ancestor.end;
    if (parting === null || last > parting.last || (last === parting.last && isExact))
      parting = { last, isExact };
  }
  return parting;
}

/** The last offset that a line has in common with who stands at `since`; 0 if nothing is known of that. */
export function sharedOf({ epoch, last, lineage }: Tail, since: string): number {
  let shared = 0;
  for (const position of positionsOf(since)) {
    const end = position.epoch === epoch ? last : lineage.find((one) => one.epoch === position.epoch)?.end;
    if (end !== undefined) shared = Math.max(shared, Math.min(end, position.offset));
  }
  return shared;
}

/** What an epoch continues that begins at the offset `last` of a tail, and of which others know `lineage`. */
function descent(
  { epoch: before, lineage: own }: Tail,
  last: number,
  lineage: readonly Ancestor[],
): readonly Ancestor[] {
  const ends = new Map(lineage.map(({ epoch, end }) => [epoch, end]));
  // Of its own epochs, what is behind `last` has died.
  for (const { epoch, end } of [{ epoch: before, end: last }, ...own])
    ends.set(epoch, Math.max(ends.get(epoch) ?? 0, Math.min(end, last)));
  const all = [...ends].map(([epoch, end]) => ({ epoch, end }));
  return all.sort((a, b) => (isLater(a.epoch, b.epoch) ? -1 : 1)).slice(0, ANCESTORS);
}

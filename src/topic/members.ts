import { type Pid, send } from '../otp/process.ts';
import type { Accounting } from './accounting.ts';
import type { Gap } from './gap.ts';
import type { Cursor } from './history/cursor.ts';
import type { Known } from './history/replays.ts';
import { Delivery, type Format, type Message, type Part, uncarried } from './message.ts';
import type { Numbered } from './position.ts';

/** The members of one format, who share their deliveries. `Ref` is what the caller keeps for each of them. */
export class Group<Member extends Pid<Delivery>, Ref> {
  readonly format: Format;
  readonly members = new Map<Member, Ref>();
  /** Rendered for the delivery that is being made. */
  readonly #parts: Part[] = [];
  /** Messages of that delivery that the format cannot carry, and how many of the parts say so. */
  #undeliverable = 0;
  #told = 0;
  /** What the members are to be told is missing. */
  #owed: Gap | null = null;

  constructor(format: Format) {
    this.format = format;
  }

  /** Makes a message a part of the next delivery. */
  render(message: Message, topic: string, at: Numbered | null, key?: string): void {
    const part = this.format.render(message, topic, at, key);
    if (part === 'nothing') return;
    if (part === 'undeliverable') this.#cannotCarry(topic, at);
    else this.#parts.push(part);
  }

  /** One delivery for all members, of what has been rendered. Returns how many attempts that makes. */
  deliver(accounting: Accounting, acceptedAt: number): number {
    const { members } = this;
    if (this.#undeliverable > 0) this.#dropUndeliverable(accounting);
    if (this.#parts.length === 0) return 0;
    const count = this.#parts.length - this.#told;
    const delivery = new Delivery(this.format.assemble(this.#parts), count, accounting, acceptedAt);
    this.#parts.length = 0;
    this.#told = 0;
    if (acceptedAt !== 0) accounting.fanOut.observe(members.size);
    const attempts = count * members.size;
    accounting.attempt(attempts);
    for (const member of members.keys()) if (!send(member, delivery)) accounting.drop(count, 'gone');
    return attempts;
  }

  /** Messages are missing: the members are to be told, where the format has words for it. */
  owe(gap: Gap): void {
    if (this.format.gap === undefined) return;
    this.#owed = this.#owed === null ? gap : both(this.#owed, gap);
  }

  get owed(): Gap | null {
    return this.#owed;
  }

  /** Tells them. Should the server crash on that, they are told by the next one. */
  pay(topic: string, accounting: Accounting): void {
    const { format, members } = this;
    const part = this.#owed === null ? undefined : format.gap?.(topic, this.#owed);
    if (part === undefined) return;
    const delivery = new Delivery(format.assemble([part]), 0, accounting);
    this.#owed = null;
    for (const member of members.keys()) send(member, delivery);
  }

  /** Messages have been rendered and not yet delivered. */
  get isHalfDone(): boolean {
    return this.#parts.length > 0;
  }

  /** What has been rendered is never delivered. */
  crash(accounting: Accounting): void {
    this.#dropUndeliverable(accounting);
    const attempts = (this.#parts.length - this.#told) * this.members.size;
    accounting.attempt(attempts);
    accounting.drop(attempts, 'crash');
    this.forget();
  }

  /** What has been rendered is to be rendered again. */
  forget(): void {
    this.#parts.length = 0;
    this.#undeliverable = 0;
    this.#told = 0;
  }

  #cannotCarry(topic: string, at: Numbered | null): void {
    this.#undeliverable++;
    const told = uncarried(this.format, topic, at);
    if (told === null) return;
    this.#parts.push(told);
    this.#told++;
  }

  #dropUndeliverable(accounting: Accounting): void {
    const attempts = this.#undeliverable * this.members.size;
    accounting.attempt(attempts);
    accounting.drop(attempts, 'undeliverable');
    this.#undeliverable = 0;
  }
}

/** Two gaps, the second behind the first. */
function both(a: Gap, b: Gap): Gap {
  const missed = a.missed === null || b.missed === null ? null : a.missed + b.missed;
  return { from: a.from, to: b.to, missed, why: b.why };
}

/** A member that is sent what it has missed, before it is one of a group. */
export class Coming<Ref> {
  readonly format: Format;
  /** What it has been told is missing. */
  readonly known: Known;
  /** Of its line, as it came: where the line has broken since, its cursor leads nowhere. */
  readonly breaks: number;
  #ref: Ref;
  #cursor: Cursor;
  #isBehind = false;

  constructor(format: Format, ref: Ref, cursor: Cursor, known: Known, breaks: number) {
    this.format = format;
    this.#ref = ref;
    this.#cursor = cursor;
    this.known = known;
    this.breaks = breaks;
  }

  get ref(): Ref {
    return this.#ref;
  }

  watch(ref: Ref): void {
    this.#ref = ref;
  }

  /** What it is sent next begins there. */
  get cursor(): Cursor {
    return this.#cursor;
  }

  /** It has been sent what is before the cursor. */
  sent(cursor: Cursor): void {
    this.#cursor = cursor;
  }

  /** It has said that many bytes wait for it, which counts once it is in its group. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  fallBehind(is: boolean): void {
    this.#isBehind = is;
  }
}

/** The members of a topic, by the format of what they get. */
export class Members<Member extends Pid<Delivery>, Ref> {
  readonly #groups: Group<Member, Ref>[] = [];
  readonly #remote: Group<Member, Ref>[] = [];
  readonly #coming = new Map<Member, Coming<Ref>>();
  /** Members that stay only as long as the topic is owned. */
  readonly #whileOwned = new Set<Member>();

  /** Local members. */
  get groups(): readonly Group<Member, Ref>[] {
    return this.#groups;
  }

  /** Other relays. */
  get remote(): readonly Group<Member, Ref>[] {
    return this.#remote;
  }

  /** Members that are being resumed, and are in no group yet. */
  get coming(): ReadonlyMap<Member, Coming<Ref>> {
    return this.#coming;
  }

  get size(): number {
    let size = this.#coming.size;
    for (const group of this.#groups) size += group.members.size;
    for (const group of this.#remote) size += group.members.size;
    return size;
  }

  has(member: Member): boolean {
    return this.#coming.has(member) || this.isInGroup(member);
  }

  isInGroup(member: Member): boolean {
    const isIn = (group: Group<Member, Ref>) => group.members.has(member);
    return this.#groups.some(isIn) || this.#remote.some(isIn);
  }

  /** Adds a member that is not in yet. */
  add(member: Member, format: Format, ref: Ref, whileOwned = false): void {
    const groups = format.remote === true ? this.#remote : this.#groups;
    let group = groups.find((candidate) => candidate.format === format);
    if (group === undefined) {
      group = new Group(format);
      groups.push(group);
    }
    group.members.set(member, ref);
    if (whileOwned) this.#whileOwned.add(member);
  }

  /** Adds a member that is not in yet, and is sent what it has missed first. */
  expect(member: Member, coming: Coming<Ref>, whileOwned = false): void {
    this.#coming.set(member, coming);
    if (whileOwned) this.#whileOwned.add(member);
  }

  /** It has all that it has missed: from here on it gets what its group gets. */
  complete(member: Member): void {
    const coming = this.#coming.get(member);
    if (coming === undefined) return;
    this.#coming.delete(member);
    this.add(member, coming.format, coming.ref, this.#whileOwned.has(member));
  }

  /** Returns what was kept for the member; undefined: it was not in. */
  remove(member: Member): Ref | undefined {
    this.#whileOwned.delete(member);
    const coming = this.#coming.get(member);
    if (coming !== undefined) {
      this.#coming.delete(member);
      return coming.ref;
    }
    return takeOut(this.#groups, member) ?? takeOut(this.#remote, member);
  }

  /** Replaces what is kept for every member. */
  refresh(ref: (member: Member) => Ref): void {
    for (const { members } of [...this.#groups, ...this.#remote])
      for (const member of members.keys()) members.set(member, ref(member));
    for (const [member, coming] of this.#coming) coming.watch(ref(member));
  }

  /** What a member has not been told yet is missing. */
  owedTo(member: Member): Gap | null {
    return this.#groups.find(({ members }) => members.has(member))?.owed ?? null;
  }

  *all(): Iterable<Member> {
    for (const { members } of this.#groups) yield* members.keys();
    for (const { members } of this.#remote) yield* members.keys();
    yield* this.#coming.keys();
  }

  whileOwned(): Member[] {
    return [...this.#whileOwned];
  }
}

function takeOut<Member extends Pid<Delivery>, Ref>(
  groups: Group<Member, Ref>[],
  member: Member,
): Ref | undefined {
  for (const [index, group] of groups.entries()) {
    const ref = group.members.get(member);
    if (!group.members.delete(member)) continue;
    // A group without members renders nothing more; parts that it holds belong to nobody.
    if (group.members.size === 0) groups.splice(index, 1);
    return ref;
  }
  return undefined;
}

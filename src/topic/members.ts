import { type Pid, send } from '../otp/process.ts';
import type { Accounting } from './accounting.ts';
import type { Numbered } from './line.ts';
import { Delivery, type Format, type Message, type Part } from './message.ts';

/** The members of one format, who share their deliveries. `Ref` is what the caller keeps for each of them. */
export class Group<Member extends Pid<Delivery>, Ref> {
  readonly format: Format;
  readonly members = new Map<Member, Ref>();
  /** Rendered for the delivery that is being made. */
  readonly #parts: Part[] = [];
  /** Messages of that delivery that the format cannot carry. */
  #undeliverable = 0;

  constructor(format: Format) {
    this.format = format;
  }

  /** Makes a message a part of the next delivery. */
  render(message: Message, topic: string, at: Numbered | null): void {
    const part = this.format.render(message, topic, at);
    if (part === 'nothing') return;
    if (part === 'undeliverable') this.#undeliverable++;
    else this.#parts.push(part);
  }

  /** One delivery for all members, of what has been rendered. Returns how many attempts that makes. */
  deliver(accounting: Accounting, acceptedAt: number): number {
    const { members } = this;
    if (this.#undeliverable > 0) this.#dropUndeliverable(accounting);
    if (this.#parts.length === 0) return 0;
    const count = this.#parts.length;
    const delivery = new Delivery(this.format.assemble(this.#parts), count, accounting, acceptedAt);
    this.#parts.length = 0;
    if (acceptedAt !== 0) accounting.fanOut.observe(members.size);
    const attempts = count * members.size;
    accounting.attempt(attempts);
    for (const member of members.keys()) if (!send(member, delivery)) accounting.drop(count, 'gone');
    return attempts;
  }

  /** What has been rendered is never delivered. */
  crash(accounting: Accounting): void {
    this.#dropUndeliverable(accounting);
    const attempts = this.#parts.length * this.members.size;
    accounting.attempt(attempts);
    accounting.drop(attempts, 'crash');
    this.forget();
  }

  /** What has been rendered is to be rendered again. */
  forget(): void {
    this.#parts.length = 0;
    this.#undeliverable = 0;
  }

  #dropUndeliverable(accounting: Accounting): void {
    const attempts = this.#undeliverable * this.members.size;
    accounting.attempt(attempts);
    accounting.drop(attempts, 'undeliverable');
    this.#undeliverable = 0;
  }
}

/** The members of a topic, by the format of what they get. */
export class Members<Member extends Pid<Delivery>, Ref> {
  readonly #groups: Group<Member, Ref>[] = [];
  readonly #remote: Group<Member, Ref>[] = [];
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

  get size(): number {
    let size = 0;
    for (const group of this.#groups) size += group.members.size;
    for (const group of this.#remote) size += group.members.size;
    return size;
  }

  has(member: Member): boolean {
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

  /** Returns what was kept for the member; undefined: it was not in. */
  remove(member: Member): Ref | undefined {
    this.#whileOwned.delete(member);
    return takeOut(this.#groups, member) ?? takeOut(this.#remote, member);
  }

  /** Replaces what is kept for every member. */
  refresh(ref: (member: Member) => Ref): void {
    for (const { members } of [...this.#groups, ...this.#remote])
      for (const member of members.keys()) members.set(member, ref(member));
  }

  *all(): Iterable<Member> {
    for (const { members } of this.#groups) yield* members.keys();
    for (const { members } of this.#remote) yield* members.keys();
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

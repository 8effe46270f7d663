import type { Format, Part } from './format.ts';

/** The members of one format, who share their deliveries. `Ref` is what the caller keeps for each of them. */
export interface Group<Member, Ref> {
  readonly format: Format;
  readonly members: Map<Member, Ref>;
  /** Rendered for the delivery that is being made. */
  readonly parts: Part[];
  /** Messages of that delivery that the format cannot carry. */
  undeliverable: number;
}

/** Who is in a topic, by the format of what they get. */
export class Members<Member, Ref> {
  /** Local members. */
  readonly groups: Group<Member, Ref>[] = [];
  /** Other relays. */
  readonly remote: Group<Member, Ref>[] = [];
  /** Those who stay only as long as the topic is owned. */
  readonly #whileOwned = new Set<Member>();

  get size(): number {
    let size = 0;
    for (const group of this.groups) size += group.members.size;
    for (const group of this.remote) size += group.members.size;
    return size;
  }

  has(member: Member): boolean {
    const isIn = (group: Group<Member, Ref>) => group.members.has(member);
    return this.groups.some(isIn) || this.remote.some(isIn);
  }

  /** Adds a member that is not in yet. */
  add(member: Member, format: Format, ref: Ref, whileOwned = false): void {
    const groups = format.remote === true ? this.remote : this.groups;
    let group = groups.find((candidate) => candidate.format === format);
    if (group === undefined) {
      group = { format, members: new Map(), parts: [], undeliverable: 0 };
      groups.push(group);
    }
    group.members.set(member, ref);
    if (whileOwned) this.#whileOwned.add(member);
  }

  /** Returns what was kept for the member; undefined: it was not in. */
  remove(member: Member): Ref | undefined {
    this.#whileOwned.delete(member);
    return takeOut(this.groups, member) ?? takeOut(this.remote, member);
  }

  /** Replaces what is kept for every member. */
  refresh(ref: (member: Member) => Ref): void {
    for (const { members } of [...this.groups, ...this.remote])
      for (const member of members.keys()) members.set(member, ref(member));
  }

  *all(): Iterable<Member> {
    for (const { members } of this.groups) yield* members.keys();
    for (const { members } of this.remote) yield* members.keys();
  }

  whileOwned(): Member[] {
    return [...this.#whileOwned];
  }
}

function takeOut<Member, Ref>(groups: Group<Member, Ref>[], member: Member): Ref | undefined {
  for (const [index, group] of groups.entries()) {
    const ref = group.members.get(member);
    if (!group.members.delete(member)) continue;
    // A group without members renders nothing more; parts that it holds belong to nobody.
    if (group.members.size === 0) groups.splice(index, 1);
    return ref;
  }
  return undefined;
}

import type { Forwarded } from '../../door/peer/batch.ts';
import type { Answer, Behind, Relay, TopicKey, Version } from '../../door/peer/codec.ts';
import type { KnownRelays, ReceivedCounts } from '../../door/peer/dialling-session.ts';
import { inform, type Pid, send } from '../../otp/process.ts';
import type { LinkMessage } from '../backplane.ts';
import type { Sender } from './forwarded-counts.ts';

/** A message for the relay at the other end to give its order. */
export interface Forwarding {
  readonly topic: TopicKey;
  readonly forwarded: Forwarded;
  readonly sender: Sender;
  /** How many relays have passed the message on before. */
  readonly hops: number;
}

/** What an inbound link is asked by the rest of the mesh. */
export type InboundRequest =
  | (Forwarding & { readonly type: 'forward' })
  /** The relay at the other end is to send what it keeps of a topic. */
  | { readonly type: 'recall'; readonly behind: Behind }
  /** To what the relay at the other end has said on the link that it has made to this one. */
  | { readonly type: 'answer'; readonly frame: Answer }
  /** That relay has just dialled this one: it can be reached. */
  | { readonly type: 'seen'; readonly node: string }
  /** The link to that start of a relay has ended: another address of it may be needed after all. */
  | { readonly type: 'needed'; readonly incarnation: string }
  /** Its address has left the list. */
  | { readonly type: 'end' };

/** An IP address, and a port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export function addressOf({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

type Link = Pid<InboundRequest | LinkMessage>;

/** How the link to one address gets on, for tools. Its link alone changes it. Times in milliseconds. */
export class DialledAddress {
  readonly address: string;
  /** The process that dials it. */
  link: Link | undefined = undefined;
  /** The relay that was at the other end last; null: none yet. */
  node: string | null = null;
  /** `needless`: the address is this relay's own, or another address of a relay that is linked already. */
  state: 'up' | 'connecting' | 'needless' = 'connecting';
  /** Why it is not linked. */
  why: string | null = null;
  /** Nobody took the connection when it was dialled last. */
  isUnreachable = false;
  /** How often it was. */
  links = 0;
  /**
   * From a ping to its answer, behind what the other side had to write before; of a ping that has waited longer, as long as
   * that. Null: none has come.
   */
  roundTrip: number | null = null;

  constructor(address: string) {
    this.address = address;
  }

  linked(node: string): void {
    this.node = node;
    this.state = 'up';
    this.why = null;
    this.isUnreachable = false;
    this.links++;
  }

  notLinked(state: 'connecting' | 'needless', why: string | null, isUnreachable = false): void {
    this.state = state;
    this.why = why;
    this.isUnreachable = isUnreachable;
    this.roundTrip = null;
  }

  answered(roundTrip: number): void {
    this.roundTrip = roundTrip;
  }

  /** So long has a ping waited for its answer. */
  unanswered(wait: number): void {
    this.roundTrip = Math.max(this.roundTrip ?? 0, wait);
  }
}

/** The links that this relay has dialled, and what has come over them: read by anybody, and the way to speak to them. */
export class InboundLinks implements KnownRelays {
  /** By address as `host:port`. */
  readonly #addresses = new Map<string, DialledAddress>();
  /** Links that are linked, by the start of a relay at the other end: one for each. */
  readonly #byIncarnation = new Map<string, Link>();
  /** The same links, by the name of the relay. */
  readonly #byNode = new Map<string, Link>();
  /** Which version of the protocol is spoken with each of them. */
  readonly #versions = new Map<string, Version>();
  /** The epoch of this relay that began when a relay was linked last. */
  #linkedAt = 0;
  /** By the name of the relay. They outlive links. */
  readonly #counts = new Map<string, ReceivedCounts>();
  /** IP addresses that the list of relays stands for. */
  #listed: ReadonlySet<string> = new Set();
  /** What the list of relays stands for, as `host:port`, as far as its names have been looked up. */
  #wanted: readonly string[] = [];
  #isLookedUp = false;

  /** How many links are linked. */
  get size(): number {
    return this.#byNode.size;
  }

  /** The names of the relays that are linked. */
  get nodes(): Iterable<string> {
    return this.#byNode.keys();
  }

  /** Addresses that lead to another relay: the list names this relay too, and a relay that is linked may have several. */
  *ways(): Iterable<Readonly<DialledAddress>> {
    for (const dialled of this.#addresses.values()) {
      const { node, state } = dialled;
      if (state === 'needless' || (node !== null && state !== 'up' && this.has(node))) continue;
      yield dialled;
    }
  }

  /** The epoch of this relay that began when a relay was linked last. */
  get linkedAt(): number {
    return this.#linkedAt;
  }

  /** Of the protocol, as it is spoken with the relay of that name; the first where it is not linked. */
  versionOf(node: string): Version {
    return this.#versions.get(node) ?? 1;
  }

  has(node: string): boolean {
    return this.#byNode.has(node);
  }

  isLinked(incarnation: string): boolean {
    return this.#byIncarnation.has(incarnation);
  }

  /** The link to that start of a relay. */
  to(incarnation: string): Link | undefined {
    return this.#byIncarnation.get(incarnation);
  }

  countsOf(node: string): ReceivedCounts | undefined {
    return this.#counts.get(node);
  }

  /** Whether the list of relays stands for that IP address. */
  isListed(host: string): boolean {
    return this.#listed.has(host);
  }

  isDialled(address: string): boolean {
    return this.#addresses.get(address)?.link !== undefined;
  }

  /**
   * Addresses where a relay may be to which the link is still being made, and why each is not made yet. An address where
   * nobody takes the connection is not among them.
   */
  *beingMade(): Iterable<readonly [address: string, why: string]> {
    if (!this.#isLookedUp) yield ['relays', 'their names are being looked up'];
    for (const address of this.#wanted) {
      const dialled = this.#addresses.get(address);
      if (dialled === undefined || (dialled.state === 'connecting' && !dialled.isUnreachable))
        yield [address, dialled?.why ?? 'it is being dialled'];
    }
  }

  /** The list stands for these hosts, by address, and no others: the links to others are to end. */
  list(hosts: ReadonlyMap<string, Address>, isLookedUp: boolean): void {
    this.#listed = new Set([...hosts.values()].map(({ host }) => host));
    this.#wanted = [...hosts.keys()];
    this.#isLookedUp = isLookedUp;
    for (const [address, dialled] of this.#addresses) {
      if (dialled.link === undefined || hosts.has(address)) continue;
      inform(dialled.link, { type: 'end' });
      // It may be wanted again before it has ended: then by another link.
      dialled.link = undefined;
    }
  }

  /** A process dials that address, be it in the place of a process that was killed and could not say that its link is gone. */
  begin(address: string, link: Link): DialledAddress {
    const dialled = this.#addresses.get(address) ?? new DialledAddress(address);
    this.#addresses.set(address, dialled);
    dialled.link = link;
    dialled.notLinked('connecting', dialled.why);
    return dialled;
  }

  /** That process dials no more. `forGood`: no other one is to come in its place. */
  end({ address }: DialledAddress, link: Link, forGood: boolean): void {
    const dialled = this.#addresses.get(address);
    if (dialled?.link === link) dialled.link = undefined;
    if (forGood && dialled?.link === undefined) this.#addresses.delete(address);
  }

  linked(
    { node, incarnation }: Relay,
    link: Link,
    counts: ReceivedCounts,
    { version, epoch }: { readonly version: Version; readonly epoch: number },
  ): void {
    this.#versions.set(node, version);
    this.#linkedAt = epoch;
    this.#byIncarnation.set(incarnation, link);
    this.#byNode.set(node, link);
    this.#counts.set(node, counts);
  }

  unlinked({ node, incarnation }: Relay, link: Link): void {
    if (this.#byIncarnation.get(incarnation) === link) this.#byIncarnation.delete(incarnation);
    if (this.#byNode.get(node) === link) {
      this.#byNode.delete(node);
      this.#versions.delete(node);
    }
    for (const dialled of this.#dialling()) inform(dialled, { type: 'needed', incarnation });
  }

  /** A message for that relay to give its order. False: it cannot be reached. */
  forward(node: string, forwarding: Forwarding): boolean {
    const link = this.#byNode.get(node);
    return link !== undefined && send(link, { type: 'forward', ...forwarding });
  }

  /** False: the relay cannot be asked. */
  recall(node: string, behind: Behind): boolean {
    const link = this.#byNode.get(node);
    return link !== undefined && this.versionOf(node) >= 2 && send(link, { type: 'recall', behind });
  }

  /** Tells every relay that is linked the numbers of this one. */
  tellVitals(text: string): void {
    for (const link of this.#byNode.values()) inform(link, { type: 'vitals', text });
  }

  /** False: there is no link to that start of a relay. */
  answer(incarnation: string, frame: Answer): boolean {
    const link = this.#byIncarnation.get(incarnation);
    return link !== undefined && send(link, { type: 'answer', frame });
  }

  /** That relay has just dialled this one: there is no need to wait any longer. */
  seen(node: string): void {
    for (const link of this.#dialling()) inform(link, { type: 'seen', node });
  }

  /** No process is left. */
  clear(): void {
    for (const table of [this.#addresses, this.#byIncarnation, this.#byNode, this.#versions, this.#counts])
      table.clear();
    this.#listed = new Set();
    this.#wanted = [];
    this.#isLookedUp = false;
  }

  *#dialling(): Iterable<Link> {
    for (const { link } of this.#addresses.values()) if (link !== undefined) yield link;
  }
}

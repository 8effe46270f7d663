import { type PeerClaim, type PeerFrame, parsePeerFrame, type Relay } from '../../door/peer/codec.ts';

/** What is to be done about what was heard, or not heard. */
export type ConversationEffect =
  /** A relay is heard of for the first time, or has started anew. */
  | { readonly type: 'linked'; readonly node: string }
  | { readonly type: 'unlinked'; readonly node: string }
  /** A relay has heard nothing yet, or not all: it is told of all claims. */
  | { readonly type: 'tell-all' }
  /** That start of a relay may have taken itself for heard all the time: it is asked for all its claims. */
  | { readonly type: 'ask-all'; readonly incarnation: string }
  /** What a relay claims; `all`: that and nothing else. `ask`: its start, and the number of the claim, if it asks. */
  | {
      readonly type: 'announced';
      readonly node: string;
      readonly all: boolean;
      readonly claims: readonly PeerClaim[];
      readonly ask: { readonly incarnation: string; readonly ref: number } | null;
    }
  | Judged
  /** Two relays of one name: each takes the other's claims for its own. */
  | { readonly type: 'name-taken'; readonly node: string }
  /** It was nothing of a relay's. */
  | { readonly type: 'foreign' };

/** What has come of a claim: no relay has refused it, and `nodes` have granted it; or a relay has refused it. */
interface Judged {
  readonly type: 'judged';
  readonly ref: number;
  readonly granted: boolean;
  readonly nodes: readonly string[];
}

interface Peer {
  readonly incarnation: string;
  readonly heardAt: number;
}

interface Question {
  readonly unanswered: Set<string>;
  readonly granted: string[];
  /** It was known which relays are there when it was asked. */
  readonly isSettled: boolean;
}

/** The relays that are there have said so within this time after a connection was made, in milliseconds. */
const SETTLED = 250;

/**
 * What relays say to each other over one connection to NATS beside messages: that they are there, and who owns what. All
 * hear all of it, but for the verdict on a claim, which goes to the relay that asked. The frames are those of the mesh
 * (`door/peer`). Pure; time is an argument, in milliseconds.
 *
 * A relay that is heard again after its silence has been taken for gone: its claims are in their grace here, or over. It
 * need not know, since it may have stood still, and have heard all that was said meanwhile at once. So both sides exchange
 * all claims anew: the side that has noticed the silence tells its own, and asks for the other's.
 *
 * A claim is asked of every relay that has been heard of lately. It is granted once all of them have, refused by the
 * first that refuses. A relay that does not answer in time is not waited for, unless it owns the topic: then nobody else
 * may. On a connection that is too young to know who is there, only time grants.
 */
export class Conversation {
  readonly #self: Relay;
  readonly #since: number;
  /** Starts of relays of this relay's name that have been named: it is the network's, and outlives the connection. */
  readonly #namesakes: Set<string>;
  readonly #peers = new Map<string, Peer>();
  readonly #questions = new Map<number, Question>();
  /** Claims of relays that are still listing all of theirs. */
  readonly #listings = new Map<string, PeerClaim[]>();

  constructor(self: Relay, namesakes: Set<string>, now: number) {
    this.#self = self;
    this.#namesakes = namesakes;
    this.#since = now;
  }

  /** Names of the relays that are heard of. */
  get nodes(): string[] {
    return [...this.#peers.keys()];
  }

  /** Whether that start of a relay is heard of. */
  hears({ node, incarnation }: Relay): boolean {
    return this.#peers.get(node)?.incarnation === incarnation;
  }

  /** What another relay has sent to all, or to this one; null: a hello, it wants to know everything. */
  heard({ node, incarnation }: Relay, data: Uint8Array | null, now: number): ConversationEffect[] {
    if (node === this.#self.node) return this.#namesake(node, incarnation);
    const isNew = this.#peers.get(node)?.incarnation !== incarnation;
    this.#peers.set(node, { incarnation, heardAt: now });
    const effects: ConversationEffect[] = isNew ? [{ type: 'linked', node }] : [];
    if (isNew || data === null) effects.push({ type: 'tell-all' });
    // On a young connection, the relay's answer to the hello to all is on its way; whoever says hello tells by itself.
    if (isNew && data !== null && this.#isSettled(now)) effects.push({ type: 'ask-all', incarnation });
    const frame =
      data === null ? null : this.#frame({ node, incarnation }, parsePeerFrame(Buffer.from(data)));
    return frame === null ? effects : [...effects, frame];
  }

  /** A claim is asked of all relays that are known now. */
  ask(ref: number, now: number): ConversationEffect[] {
    const unanswered = new Set(this.#peers.keys());
    this.#questions.set(ref, { unanswered, granted: [], isSettled: this.#isSettled(now) });
    return toList(this.#judged(ref));
  }

  /** A relay that has not answered the claim by now is not waited for. */
  askedEnough(ref: number): ConversationEffect[] {
    return toList(this.#grant(ref));
  }

  /** Looks which relays have not been heard for so long. */
  silent(now: number, timeout: number): ConversationEffect[] {
    const gone: string[] = [];
    for (const [node, { heardAt }] of this.#peers) if (now - heardAt >= timeout) gone.push(node);
    return this.#lose(gone);
  }

  /** The connection has ended: nobody can be heard. */
  end(): ConversationEffect[] {
    this.#questions.clear();
    return this.#lose(this.nodes);
  }

  #isSettled(now: number): boolean {
    return now - this.#since >= SETTLED;
  }

  #frame(from: Relay, frame: PeerFrame | null): ConversationEffect | null {
    switch (frame?.type) {
      case 'heartbeat':
        return null;
      case 'claims':
        return this.#claims(from, frame);
      case 'verdict':
        return this.#answered(frame.ref, from.node, frame.granted);
      default:
        return { type: 'foreign' };
    }
  }

  #claims(
    { node, incarnation }: Relay,
    { begin, end, ref, claims }: Extract<PeerFrame, { readonly type: 'claims' }>,
  ): ConversationEffect | null {
    if (begin) this.#listings.set(node, []);
    const listing = this.#listings.get(node);
    if (listing !== undefined) for (const claim of claims) listing.push(claim);
    // What is said between the pieces of a list is as new as the list, and belongs into it; a question is answered at once.
    if (listing !== undefined && !end && ref === 0) return null;
    if (end) this.#listings.delete(node);
    const ask = ref === 0 ? null : { incarnation, ref };
    return { type: 'announced', node, all: end, claims: end ? (listing ?? claims) : claims, ask };
  }

  #answered(ref: number, node: string, granted: boolean): ConversationEffect | null {
    const question = this.#questions.get(ref);
    if (!granted) {
      this.#questions.delete(ref);
      // Be it late, or of a relay that was not known yet: a topic that has an owner takes no other.
      return { type: 'judged', ref, granted: false, nodes: [] };
    }
    if (question === undefined) return null;
    question.unanswered.delete(node);
    question.granted.push(node);
    return this.#judged(ref);
  }

  /** The verdict, if all have answered. */
  #judged(ref: number): Judged | null {
    const question = this.#questions.get(ref);
    return question?.isSettled === true && question.unanswered.size === 0 ? this.#grant(ref) : null;
  }

  /** Null: there was a verdict already. */
  #grant(ref: number): Judged | null {
    const question = this.#questions.get(ref);
    this.#questions.delete(ref);
    return question === undefined ? null : { type: 'judged', ref, granted: true, nodes: question.granted };
  }

  #namesake(node: string, incarnation: string): ConversationEffect[] {
    if (this.#namesakes.has(incarnation)) return [];
    this.#namesakes.add(incarnation);
    return [{ type: 'name-taken', node }];
  }

  #lose(nodes: readonly string[]): ConversationEffect[] {
    for (const node of nodes) {
      this.#peers.delete(node);
      this.#listings.delete(node);
    }
    return nodes.map((node) => ({ type: 'unlinked', node }));
  }
}

function toList<Effect>(effect: Effect | null): Effect[] {
  return effect === null ? [] : [effect];
}

import type { LinkMessage } from '../../src/cluster/backplane.ts';
import { Claims } from '../../src/cluster/claims.ts';
import { type Link, Owners, type OwnersEvent } from '../../src/cluster/owners.ts';
import type { PeerClaim } from '../../src/door/peer/codec.ts';
import { claim, hasEnded, type Lifetime, ownerLeft, unowned } from '../../src/topic/lifetime.ts';
import { type Claim as Request, Topic } from '../../src/topic/topic.ts';

export const GRACE = 700;
/** As in the topic server. */
const CLAIM_TIMEOUT = 4000;

/** What happens later: the first in a queue happens next, whichever queue it is. */
type Verdict = 'granted' | 'owned' | 'unavailable';
type Happening = () => unknown;

/** A topic at one relay, as its server treats owners (`src/topic/ownership.ts`). */
interface ModelTopic {
  readonly topic: Topic;
  lifetime: Lifetime<Request['member']>;
  claiming: Request | undefined;
}

interface Relay {
  readonly node: string;
  claims: Claims;
  owners: Owners;
  readonly topics: Map<string, ModelTopic>;
  /** Of the starts of its ownership server, this one: timers of an earlier one are gone. */
  start: number;
  /** By how much its wall clock is ahead. */
  readonly skew: number;
}

/** The connection by which one relay tells another one. Both notice its end, each in its time. */
interface Connection {
  readonly from: Relay;
  readonly to: Relay;
  readonly link: Link;
  /** Of the attempts to connect, this one: what an earlier one has carried is lost. */
  turn: number;
  up: boolean;
  /** The end that tells has not noticed that it is down, or the end that is told. */
  attached: boolean;
  heard: boolean;
}

/** Relays whose owners run in one model world: nothing happens but what a test lets happen. */
export class OwnersWorld {
  readonly relays: readonly Relay[];
  readonly connections: Connection[] = [];
  now = 0;
  /** Claims that relays were asked for, and what was said to them. */
  readonly asked = new Map<Request, boolean[]>();
  /** The most owners that one topic has had at once. */
  most = 0;
  /** A claim was granted that had lost. */
  isMistaken = false;
  readonly #queues = new Map<string, Happening[]>();
  readonly #timers: { readonly at: number; readonly then: Happening }[] = [];
  #members = 0;

  constructor(nodes: readonly string[], skews: readonly number[]) {
    this.relays = nodes.map((node, index) => {
      const claims = new Claims(node);
      return {
        node,
        claims,
        owners: new Owners(claims),
        topics: new Map(),
        start: 0,
        skew: skews[index] ?? 0,
      };
    });
    for (const from of this.relays) {
      for (const to of this.relays) {
        if (from === to) continue;
        const link = { id: this.connections.length + 1 };
        this.connections.push({ from, to, link, turn: 0, up: false, attached: false, heard: false });
      }
    }
  }

  topic(relay: Relay, name: string): ModelTopic {
    let found = relay.topics.get(name);
    if (found === undefined) {
      found = { topic: new Topic('main', name), lifetime: unowned, claiming: undefined };
      const ownership = relay.claims.ownership(found.topic, this.now);
      if (ownership !== 'none') found.lifetime = { state: 'elsewhere', grace: ownership === 'grace' };
      relay.topics.set(name, found);
    }
    return found;
  }

  /** Somebody wants to own a topic. */
  claim(relay: Relay, name: string): void {
    const model = this.topic(relay, name);
    const member = { id: ++this.#members };
    const { lifetime } = model;
    if (model.claiming !== undefined) return;
    if (lifetime.state !== 'elsewhere' && claim(lifetime, member, GRACE) === null) return;
    const request = { type: 'claim', name, grace: GRACE, member } as const;
    model.claiming = request;
    this.asked.set(request, []);
    this.#later(
      CLAIM_TIMEOUT,
      () => relay.topics.get(name) === model && this.#judged(relay, model, request, 'unavailable'),
    );
    const since = 1_000_000 + this.now + relay.skew;
    this.#mail(relay, { type: 'claim', topic: model.topic, request, since });
  }

  /** The owner of a topic goes, if it is at this relay. */
  leave(relay: Relay, name: string): void {
    const model = this.topic(relay, name);
    if (model.lifetime.state !== 'owned') return;
    model.lifetime = ownerLeft(model.lifetime, model.lifetime.owner, this.now);
    this.#awaitEndOfGrace(model);
    this.#mail(relay, { type: 'released', topic: model.topic });
  }

  /** A relay begins anew, with nothing left of what it knew. */
  die(relay: Relay): void {
    for (const name of relay.topics.keys()) this.#queues.delete(`${relay.node} ${name}`);
    relay.topics.clear();
    relay.claims = new Claims(relay.node);
    this.restart(relay);
  }

  /** The ownership server begins anew, and the links with it. */
  restart(relay: Relay): void {
    relay.start++;
    this.#queues.delete(`${relay.node} owners`);
    relay.owners = new Owners(relay.claims);
    for (const connection of this.connectionsOf(relay)) {
      this.cut(connection);
      if (connection.from === relay) connection.attached = false;
      else connection.heard = false;
    }
    this.#step(relay, { type: 'begin' });
    const { now } = this;
    const owners = [...relay.topics.values()].flatMap(
      ({ topic: { realm, name }, lifetime, claiming }): PeerClaim[] => {
        const known = { realm, name, since: 0 };
        if (lifetime.state === 'owned') return [{ ...known, state: 'owned', grace: lifetime.grace }];
        if (claiming !== undefined) return [{ ...known, state: 'asked', grace: GRACE }];
        return lifetime.state === 'grace' ? [{ ...known, state: 'grace', grace: lifetime.until - now }] : [];
      },
    );
    this.#step(relay, { type: 'linking', owners });
  }

  /** Those that a relay has made, and those that others have made to it. */
  connectionsOf(relay: Relay): readonly Connection[] {
    return this.connections.filter(({ from, to }) => from === relay || to === relay);
  }

  cut(connection: Connection): void {
    if (!connection.up) return;
    connection.up = false;
    connection.turn++;
  }

  /** One end sees that a connection is down. */
  notice(connection: Connection, end: 'from' | 'to'): void {
    const { up, from, to, link, attached, heard } = connection;
    if (up) return;
    if (end === 'from' && attached) {
      connection.attached = false;
      this.#mail(from, { type: 'detach', link });
    }
    if (end === 'to' && heard) {
      connection.heard = false;
      this.#mail(to, { type: 'unheard', node: from.node });
    }
  }

  heal(connection: Connection): void {
    if (connection.up) return;
    this.notice(connection, 'to');
    this.notice(connection, 'from');
    connection.up = true;
    connection.attached = true;
    connection.heard = true;
    this.#mail(connection.from, { type: 'attach', link: connection.link, node: connection.to.node });
  }

  /** Lets happen what is first in one of the queues. False: they are all empty. */
  happen(choice: number): boolean {
    const waiting = [...this.#queues].filter(([, queue]) => queue.length > 0);
    const chosen = waiting[choice % waiting.length];
    if (chosen === undefined) return false;
    chosen[1].shift()?.();
    const names = new Set(this.relays.flatMap(({ topics }) => [...topics.keys()]));
    for (const name of names) this.most = Math.max(this.most, this.ownersOf(name).length);
    return true;
  }

  /** Lets all happen that is waiting. */
  calm(): void {
    while (this.happen(0));
  }

  /** Lets time pass, with all that is due meanwhile put into the queues. */
  advance(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.splice(this.#timers.indexOf(due), 1);
      this.now = Math.max(this.now, due.at);
      due.then();
    }
    this.now = until;
  }

  /** Lets everything happen, until nothing is left and no timer runs. */
  settle(): void {
    do {
      this.calm();
      const next = Math.min(...this.#timers.map(({ at }) => at));
      if (next < Number.POSITIVE_INFINITY) this.advance(Math.max(next - this.now, 0));
    } while (this.#timers.length > 0 || this.happen(0));
  }

  /** The relays at which somebody is the owner, as their topics see it. */
  ownersOf(name: string): readonly Relay[] {
    return this.relays.filter(({ topics }) => topics.get(name)?.lifetime.state === 'owned');
  }

  #judged(relay: Relay, model: ModelTopic, request: Request, verdict: Verdict): void {
    const isAwaited = model.claiming === request;
    if (isAwaited) model.claiming = undefined;
    if (isAwaited && verdict === 'granted') {
      model.lifetime = claim(model.lifetime, request.member, GRACE) ?? model.lifetime;
      return;
    }
    const hasOwner = model.claiming !== undefined || model.lifetime.state === 'owned';
    if (verdict !== 'owned' && !hasOwner) this.#mail(relay, { type: 'released', topic: model.topic });
  }

  #ownedElsewhere(model: ModelTopic, ownership: 'none' | 'owned' | 'grace'): void {
    if (ownership !== 'none') model.lifetime = { state: 'elsewhere', grace: ownership === 'grace' };
    else if (model.lifetime.state === 'elsewhere') model.lifetime = unowned;
  }

  #awaitEndOfGrace(model: ModelTopic): void {
    const { lifetime } = model;
    if (lifetime.state !== 'grace') return;
    this.#later(lifetime.until - this.now, () => {
      if (hasEnded(model.lifetime, this.now)) model.lifetime = unowned;
    });
  }

  #mail(relay: Relay, event: OwnersEvent): void {
    this.#queue(`${relay.node} owners`, () => this.#step(relay, event));
  }

  #step(relay: Relay, event: OwnersEvent): void {
    const { start } = relay;
    for (const effect of relay.owners.step(event, this.now)) {
      switch (effect.type) {
        case 'tell':
          this.#tell(effect.link, effect.message);
          break;
        case 'judge': {
          const { request, topic, granted } = effect;
          this.asked.get(request)?.push(granted);
          this.isMistaken ||= granted && relay.claims.own(topic)?.state !== 'owned';
          const model = this.topic(relay, topic.name);
          this.#queue(`${relay.node} ${topic.name}`, () =>
            this.#judged(relay, model, request, granted ? 'granted' : 'owned'),
          );
          break;
        }
        case 'elsewhere': {
          const { topic, ownership } = effect;
          const model = this.topic(relay, topic.name);
          this.#queue(`${relay.node} ${topic.name}`, () => this.#ownedElsewhere(model, ownership));
          break;
        }
        case 'answer':
          effect.answer(effect.granted);
          break;
        case 'later':
          this.#later(effect.delay, () => relay.start === start && this.#mail(relay, effect.event));
          break;
      }
    }
  }

  #tell(link: Link, message: LinkMessage): void {
    const connection = this.connections.find((one) => one.link === link);
    if (connection === undefined || message.type !== 'claims') return;
    const { from, to, turn } = connection;
    const { ref, all, claims } = message;
    this.#carry(connection, () => {
      const answer = (granted: boolean) => {
        if (connection.turn !== turn) return;
        // It goes over the connection that the answering relay has made, as long as there is one.
        const back = this.connections.find((one) => one.from === to && one.to === from);
        const verdict = () => this.#mail(from, { type: 'verdict', link, ref, granted });
        this.#carry(back?.up === true ? back : connection, verdict, back?.up !== true);
      };
      this.#mail(to, {
        type: 'announced',
        node: from.node,
        all,
        claims: claims as readonly PeerClaim[],
        answer: ref === 0 ? null : answer,
      });
    });
  }

  /** What is on its way when a connection ends is lost. */
  #carry(connection: Connection, arrives: Happening, back = false): void {
    const { up, turn, link } = connection;
    if (!up) return;
    this.#queue(`connection ${link.id}${back ? ' back' : ''}`, () => {
      if (connection.turn === turn) arrives();
    });
  }

  #queue(name: string, happening: Happening): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) this.#queues.set(name, [happening]);
    else queue.push(happening);
  }

  #later(delay: number, then: Happening): void {
    this.#timers.push({ at: this.now + delay, then });
  }
}

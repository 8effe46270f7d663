import { readFileSync } from 'node:fs';
import type { WebSocketServer } from 'ws';
import type { Config, NetworkConfig } from '../../config/config.ts';
import { PeerFormats } from '../../door/peer/batch.ts';
import type { Relay } from '../../door/peer/codec.ts';
import { inform } from '../../otp/process.ts';
import { Hidden } from '../../secret/hidden.ts';
import { confirm, deny } from '../../topic/fan-out.ts';
import type { Sequencer } from '../../topic/message.ts';
import type { LinkLog, LocalTopics } from '../backplane.ts';
import { Coming } from './coming.ts';
import { ForwardedCounts } from './forwarded-counts.ts';
import { InboundLinks } from './inbound-links.ts';
import { Leftovers } from './leftovers.ts';
import { OutboundLinks } from './outbound-links.ts';

export interface NetworkArgs {
  readonly self: Relay;
  readonly settings: MeshSettings;
  readonly topics: () => LocalTopics;
  readonly webSockets: WebSocketServer;
  readonly log: LinkLog;
}

/** What all processes of the mesh share: tables that outlive them, each changed by its own methods. */
export class Network {
  readonly self: Relay;
  readonly topics: () => LocalTopics;
  readonly webSockets: WebSocketServer;
  readonly log: LinkLog;
  readonly inbound = new InboundLinks();
  readonly outbound = new OutboundLinks();
  readonly coming = new Coming();
  readonly leftovers = new Leftovers();
  readonly forwarded: ForwardedCounts;
  readonly epochs: Epochs;
  readonly news = new News();
  readonly formats = new PeerFormats();
  /** Until when the first links are waited for, in milliseconds of the system's time; null: there was none yet. */
  firstUntil: number | null = null;
  #settings: MeshSettings;

  constructor(args: NetworkArgs) {
    const { self, topics, webSockets, log, settings } = args;
    this.self = self;
    this.topics = topics;
    this.webSockets = webSockets;
    this.log = log;
    this.epochs = new Epochs(self.node);
    this.forwarded = new ForwardedCounts(
      (count) => topics().accounting.lose(count, 'unreachable'),
      ({ topic, sender }, isDone) => {
        if (sender.type === 'link') inform(sender.link, { type: 'settled', number: sender.number, isDone });
        else if (sender.type === 'publisher') {
          if (isDone) confirm(sender.publish, topic.name, null);
          else deny(sender.publish, topic.name);
        }
      },
    );
    this.#settings = settings;
  }

  /** Those with which the network port was opened last. */
  get settings(): MeshSettings {
    return this.#settings;
  }

  /** The port is to be opened, with these settings. */
  opens(settings: MeshSettings): void {
    this.#settings = settings;
  }

  /** The key that proofs are made with; null: there is no secret. */
  get key(): Buffer | null {
    return this.#settings.secret?.reveal() ?? null;
  }

  /** Whether both ends of a link prove to be of the network; else the address of a relay is all that is known of it. */
  get isProved(): boolean {
    return this.#settings.secret !== null || this.#settings.tls !== null;
  }

  /** No process is left: those that were killed could not take themselves out. */
  end(): void {
    for (const { topic, forwarded, sender } of this.coming.clear())
      this.forwarded.unreachable(null, [{ topic, forwarded, sender }]);
    this.topics().accounting.lose(this.leftovers.clear(), 'unreachable');
    this.forwarded.settleAll();
    for (const table of [this.inbound, this.outbound, this.news]) table.clear();
  }
}

/** Times in milliseconds, sizes in bytes. */
export interface MeshSettings {
  readonly host: string;
  readonly port: number;
  /** The key that proofs are made with; null: there is no secret. */
  readonly secret: Hidden<Buffer> | null;
  readonly tls: Hidden<{ readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer }> | null;
  readonly heartbeat: number;
  readonly timeout: number;
  readonly pending: number;
  /** The longest that somebody at the port may take to prove to be a relay. */
  readonly handshake: number;
  /** The longest message of a client. */
  readonly message: number;
}

/** The epoch in which this relay gives messages their order, and the highest of any relay that it has heard of. */
export class Epochs {
  highest = 1;
  /** This relay as one that gives messages their order. The same object until the next epoch. */
  sequencer: Sequencer;

  constructor(node: string) {
    this.sequencer = { node, epoch: 1 };
  }

  /** Other relays are live than before: whoever sequences from here on comes after all that was. */
  next(): void {
    this.sequencer = { node: this.sequencer.node, epoch: ++this.highest };
  }

  /** Another relay has told of an epoch. */
  heard(epoch: number): void {
    this.highest = Math.max(this.highest, epoch);
  }
}

/** Others choose what there is to say of them. */
const SAID = 1000;

/** What was logged last of something that is tried again and again: it is not said again until it has changed. */
export class News {
  readonly #said = new Map<string, string>();

  /** Whether `text` is news of `what`. */
  is(what: string, text: string): boolean {
    if (this.#said.get(what) === text) return false;
    if (this.#said.size >= SAID) this.#said.clear();
    this.#said.set(what, text);
    return true;
  }

  /** It went well: what fails next is news. */
  forget(what: string): void {
    this.#said.delete(what);
  }

  clear(): void {
    this.#said.clear();
  }
}

/** Whoever is at the network port has no longer than this, whatever clients have: closed within 5 s, timers and all. */
const HANDSHAKE = 4500;

/** What the mesh needs to know of the configuration. Throws when a file cannot be read; a relay alone reads none. */
export function meshSettings({ network, limits, relays }: Config): MeshSettings {
  const { host, port, secret, heartbeat, timeout, pending } = network;
  const handshake = limits.handshake === 0 ? HANDSHAKE : Math.min(limits.handshake, HANDSHAKE);
  const { message } = limits;
  return {
    host,
    port,
    secret,
    heartbeat,
    timeout,
    pending,
    handshake,
    message,
    tls: relays.length === 0 ? null : tlsFiles(network),
  };
}

function tlsFiles({ tls }: NetworkConfig): MeshSettings['tls'] {
  if (tls === null) return null;
  return new Hidden({ cert: readFileSync(tls.cert), key: readFileSync(tls.key), ca: readFileSync(tls.ca) });
}

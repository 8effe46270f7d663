import type { WebSocketServer } from 'ws';
import type { Answer, Relay } from '../../door/peer/codec.ts';
import type { Pid } from '../../otp/process.ts';
import type { System } from '../../otp/system.ts';
import type { Hidden } from '../../secret/hidden.ts';
import type { Topics } from '../../topic/topics.ts';
import type { LinkMessage } from '../backplane.ts';
import * as interest from '../interest-server.ts';
import * as ownership from '../ownership-server.ts';
import { Epochs } from './epochs.ts';
import { ForwardedCounts } from './forwarded-counts.ts';
import { InboundLinks } from './inbound-links.ts';
import { News } from './news.ts';
import { OutboundLinks } from './outbound-links.ts';

export interface NetworkArgs {
  readonly system: System;
  readonly self: Relay;
  readonly settings: MeshSettings;
  readonly topics: () => Topics;
  readonly webSockets: WebSocketServer;
  readonly log: MeshLog;
}

/** What all processes of the mesh share: tables that outlive them, each changed by its own methods. */
export class Network {
  readonly self: Relay;
  readonly topics: () => Topics;
  readonly webSockets: WebSocketServer;
  readonly log: MeshLog;
  readonly inbound = new InboundLinks();
  readonly outbound = new OutboundLinks();
  readonly forwarded: ForwardedCounts;
  readonly epochs: Epochs;
  readonly news = new News();
  readonly #system: System;
  #settings: MeshSettings;

  constructor(args: NetworkArgs) {
    const { self, topics, webSockets, log, settings } = args;
    this.self = self;
    this.topics = topics;
    this.webSockets = webSockets;
    this.log = log;
    this.epochs = new Epochs(self.node);
    this.forwarded = new ForwardedCounts((count) => topics().accounting.lose(count, 'unreachable'));
    this.#system = args.system;
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

  /** No process is left: those that were killed could not take themselves out. */
  end(): void {
    this.forwarded.settleAll();
    for (const table of [this.inbound, this.outbound, this.news]) table.clear();
  }

  /** A link can be used: it is told of interest and claims from here on. */
  attach(link: Pid<LinkMessage>, node: string): void {
    interest.attach(this.#system, link);
    ownership.attach(this.#system, link, node);
  }

  detach(link: Pid<LinkMessage>): void {
    interest.detach(this.#system, link);
    ownership.detach(this.#system, link);
  }

  /** What the other relay has answered to what `link` has told it, whichever way it came. */
  answered(link: Pid<LinkMessage>, frame: Answer): void {
    if (frame.type === 'confirm') interest.confirmed(this.#system, link, frame.version);
    else ownership.verdict(this.#system, link, frame);
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

export interface MeshLog {
  note(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

import type { Relay, VitalsFrame } from '../../door/peer/codec.ts';
import type { DialledSession } from '../../door/peer/dialled-session.ts';
import { Fates } from '../../door/peer/fates.ts';
import { NumberedOutbox } from '../../door/peer/numbered-outbox.ts';
import { inform, isAlive, type Pid } from '../../otp/process.ts';
import type { Relayed } from './forwarded-counts.ts';
import type { PeerSocket } from './peer-socket.ts';

/** What an outbound link is asked by the rest of the mesh. */
export type OutboundRequest =
  /** Serve over this connection, whose other end has proved to be the relay. */
  | { readonly type: 'take'; readonly connection: Connection }
  /** A later start of the relay has taken its name over. */
  | { readonly type: 'replaced' };

export interface Connection {
  readonly socket: PeerSocket;
  readonly session: DialledSession;
}

type Link = Pid<OutboundRequest | VitalsFrame | Relayed>;

/** What becomes of the messages for one start of another relay. It outlives connections, and processes that crash. */
export class Served {
  readonly incarnation: string;
  readonly outbox = new NumberedOutbox();
  pid: Link;
  connection: Connection | undefined = undefined;
  /** How often it had a connection. */
  links = 0;
  /** Of messages that the other relay has forwarded, and this one has taken: be it to be lost here, and counted. */
  readonly fates = new Fates();
  /** What the other relay has told of over this connection, all of it: topics that it wants, and owners. */
  readonly #told = new Set<'interest' | 'claims'>();

  constructor(incarnation: string, pid: Link) {
    this.incarnation = incarnation;
    this.pid = pid;
  }

  /** Bytes that wait to be written. */
  get pending(): number {
    return this.outbox.bytes + (this.connection?.socket.stream.writableLength ?? 0);
  }

  /** Milliseconds that the other side's word of what has come is behind. */
  lag(now: number): number {
    return this.connection?.session.lag(now) ?? 0;
  }

  /** Nothing that is published here from now on is missed by the other relay, and no topic is owned twice. */
  get serves(): boolean {
    return this.connection !== undefined && this.#told.has('interest') && this.#told.has('claims');
  }

  connected(connection: Connection): void {
    this.connection = connection;
    this.links++;
  }

  disconnected(): void {
    this.connection = undefined;
    this.#told.clear();
  }

  /** The other relay has told all that it wants, which has been joined, or all owners that are there. */
  told(what: 'interest' | 'claims'): void {
    this.#told.add(what);
  }
}

/** The links that other relays have dialled, by the name of the relay: read by anybody, and the way to speak to them. */
export class OutboundLinks {
  readonly #served = new Map<string, Served>();
  #isLeaving = false;

  /** All links are about to end: nothing more is taken over any of them. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  leave(): void {
    this.#isLeaving = true;
  }

  /** Something that was taken has not been sent on yet. */
  get areOpen(): boolean {
    for (const { fates } of this.#served.values()) if (fates.areOpen) return true;
    return false;
  }

  of(node: string): Served | undefined {
    return this.#served.get(node);
  }

  all(): Iterable<readonly [string, Readonly<Served>]> {
    return this.#served.entries();
  }

  /**
   * A process serves that relay, and goes on with the counts of one before it that has crashed or was killed. Of two that
   * were started at once, for two connections of the relay, the first one does: `pid` says which.
   */
  begin({ node, incarnation }: Relay, pid: Link): Served {
    const before = this.#served.get(node);
    const served = before?.incarnation === incarnation ? before : new Served(incarnation, pid);
    if (!isAlive(served.pid)) {
      served.pid = pid;
      // Those who would say what has become of them have told a process that is gone.
      served.fates.giveUp();
    }
    this.#isLeaving = false;
    this.#served.set(node, served);
    return served;
  }

  /** The relay is not counted for any more. */
  forget(node: string, served: Served): void {
    if (this.#served.get(node) === served) this.#served.delete(node);
  }

  /** A relay claims its name. False: another start of it is linked by that name, and keeps it. */
  claim({ node, incarnation }: Relay): boolean {
    const known = this.#served.get(node);
    if (known === undefined || known.incarnation === incarnation || !isAlive(known.pid)) return true;
    if (known.connection !== undefined) return false;
    inform(known.pid, { type: 'replaced' });
    this.#served.delete(node);
    return true;
  }

  /** The process that serves that relay; undefined: it is to be started. */
  to(node: string): Link | undefined {
    const pid = this.#served.get(node)?.pid;
    return pid !== undefined && isAlive(pid) ? pid : undefined;
  }

  /** Tells every relay that is served the numbers of this one. */
  tellVitals(text: string): void {
    for (const { connection, pid } of this.#served.values())
      if (connection !== undefined) inform(pid, { type: 'vitals', text });
  }

  /** No process is left. */
  clear(): void {
    this.#served.clear();
  }
}

import type { Permissions, Right, Rights } from './permissions.ts';

/**
 * Who may do what. An authenticator runs as a process of its own, so that a slow one blocks nobody: a promise that is
 * rejected, or does not settle in time, counts as no answer, and no answer grants nothing. A throw does too.
 */
export interface Authenticator {
  readonly name: string;
  /** What everybody may do, without any credential. */
  readonly anonymous: Permissions;
  /**
   * What it has to know besides the credential. request: what the client's request was. topic: that too, and it judges
   * no credential: it is asked for each topic and right that a connection uses, the first time it does.
   */
  readonly needs?: 'request' | 'topic';
  /** It judges every client, also one that brings no credential: its request may say enough. */
  readonly asksAll?: true;
  /** Where it never hears that earlier answers no longer hold: what stands is asked about again. */
  readonly recheck?: Recheck;
  /**
   * All that a credential grants, `anonymous` included; empty permissions refuse it. Called within a turn of the event
   * loop that is everybody's: what takes long returns a promise. It keeps the credential no longer than it needs it.
   */
  authorise(question: Question): Answer | Promise<Answer>;
  /**
   * Calls `changed` whenever earlier answers may no longer hold; those who were granted something are asked about again.
   * What it returns ends the watch.
   */
  watch?(changed: () => void): () => void;
}

export interface Recheck {
  /** Milliseconds from one round to the next; a round that takes longer is not cut short. */
  readonly every: number;
  /** Questions in a second, at most. */
  readonly rate: number;
}

export interface Question {
  /** The credential, as the client gave it; empty where there is none. It must reach no log, metric or report. */
  readonly authorization: string;
  readonly door: string;
  /** Where the client is, as far as the socket knows. */
  readonly address: string;
  /** Only for those who need it. It holds credentials, as `authorization` does. */
  readonly request?: ClientRequest;
  /** What the client wants to do; only for those who judge topics. */
  readonly access?: Access;
}

/** A request as it came: nothing in it is decoded. */
export interface ClientRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** In their order and as they were written, without those that are about the connection (RFC 9110, section 7.6.1). */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** A topic that a client wants to use. */
export interface Access {
  readonly topic: string;
  readonly right: Right;
  /** What a good answer opens on the topic, `right` among it. */
  readonly rights: Rights;
  /** What the request for it is, or would be if the door had one: the method, and the target as it came. */
  readonly method: string;
  readonly target: string;
  /** The topic that another path stands for; null: none. */
  topicAt(path: string): string | null;
}

export type Answer = Permissions | Grant;

/** Permissions on terms. */
export interface Grant {
  readonly permissions: Permissions;
  /** Who it is, for logs; null: unknown. */
  readonly subject: string | null;
  /** Milliseconds since 1970, from when on nothing of it holds; null: for good. */
  readonly expires: number | null;
  /** Milliseconds that a connection may stay on, without these rights, once they have expired. Default: 0. */
  readonly grace?: number;
  /** The topic that `access` is about after all: it is the one that is used. Default: the one that was asked for. */
  readonly topic?: string;
  /** False: it is no credential that is known, and grants what everybody has. Default: true. */
  readonly recognised?: boolean;
  /** True: a credential that is known, before or after its time. It grants nothing, and is no guess. */
  readonly untimely?: boolean;
}

/** A store of API keys as whoever looks after it sees it: those who judge keys have an `Authenticator` over it. */
export interface KeyStore {
  /** By domain. */
  list(): Promise<readonly KeyRow[]>;
  /**
   * Adds keys, all of them or none: with `replace` in the place of those that their domains have, and else only when no
   * domain has another one. Throws a `StoreFault`.
   */
  put(keys: readonly NewKey[], replace: boolean): Promise<PutResult>;
  /** False: the domain has no key. Throws a `StoreFault`. */
  revoke(domain: string): Promise<boolean>;
  close(): Promise<void>;
}

export interface NewKey {
  readonly domain: string;
  /** Null: that of the key that is replaced, or the domain's name. */
  readonly username: string | null;
  readonly key: string;
}

/** Never the key itself, nor its hash. */
export interface KeyRow {
  readonly domain: string;
  readonly username: string;
  readonly created: string;
  readonly active: boolean;
}

export type PutResult =
  | { readonly ok: true; readonly written: number; readonly unchanged: number }
  /** These domains have keys, and nothing was written. */
  | { readonly ok: false; readonly taken: readonly string[] };

/** What an operator is told when a store cannot do what it should. The message holds no secret. */
export class StoreFault extends Error {}

/** What the stores have to say to the log: never a key, its hash, or what a database says of one. */
export interface StoreLog {
  note(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** The longest key that the table can hold, in characters. */
export const LONGEST_KEY = 36;

import type { Fate } from './fates.ts';
import { Reader, Writer } from './wire.ts';

/**
 * The frames between two relays, each a binary WebSocket message: a byte for its type, then its fields. The relay that
 * dials sends `hello`, `proof`, `interest`, `claims`, `resume`; the one that was dialled `challenge`, `welcome`, `refuse`,
 * and messages (see `batch.ts`); `heartbeat`, `confirm`, `verdict`, `vitals` go both ways. See doc/peer-protocol.md.
 */
export type PeerFrame =
  | Hello
  | { readonly type: 'challenge'; readonly relay: Relay; readonly nonce: Buffer }
  | { readonly type: 'proof'; readonly mac: Buffer }
  /** `next`: the number of the next message on this link. `taken`: how many messages the other relay has forwarded. */
  | {
      readonly type: 'welcome';
      readonly mac: Buffer;
      readonly next: number;
      readonly epoch: number;
      readonly taken: number;
    }
  /** What follows on this link is of this epoch of its sender. */
  | { readonly type: 'epoch'; readonly epoch: number }
  | { readonly type: 'refuse'; readonly why: Refusal; readonly text: string }
  /**
   * `last`: the number of the last message known of. `received`: how many messages have come from the other side; of the
   * relay that was dialled those are the ones that were forwarded.
   */
  | { readonly type: 'heartbeat'; readonly last: number; readonly received: number }
  | InterestFrame
  | ClaimsFrame
  | Answer
  /** Version 2: what is kept of these topics behind a position is to be sent over this link. */
  | ResumeFrame
  | VitalsFrame
  | FateFrame
  /** Version 2: who is in a topic at the relay that tells it. It has its place, and is not spoken yet. */
  | {
      readonly type: 'presence';
      readonly realm: string;
      readonly name: string;
      readonly version: number;
      readonly entries: Buffer;
    };

/**
 * Version 2: what has become of forwarded messages, `count` of them since this start of both relays. Behind the messages that went
 * out with them: who has read the frame has them.
 */
export interface FateFrame extends Fate {
  readonly type: 'fate';
}

/** Of the protocol. The frames of a handshake are the same in both. */
export type Version = 1 | 2;

/** What the relay that was dialled says of interest and claims: on this link, or on its own to the relay that dials. */
export type Answer =
  | { readonly type: 'confirm'; readonly version: number }
  | { readonly type: 'verdict'; readonly ref: number; readonly granted: boolean };

/** A relay: its name, and which of its starts. */
export interface Relay {
  readonly node: string;
  /** Random for each start. */
  readonly incarnation: string;
}

export interface Hello {
  readonly type: 'hello';
  readonly relay: Relay;
  readonly nonce: Buffer;
  /** What the dialling relay has of its last link: the other's incarnation ('' for none), and the counts. */
  readonly of: string;
  readonly last: number;
  readonly received: number;
  /** The highest epoch that it knows of. */
  readonly epoch: number;
}

export type Refusal = (typeof refusals)[number];
const refusals = ['self', 'name-taken', 'proof', 'address', 'busy'] as const;

/** A topic as relays name it to each other. */
export interface TopicKey {
  readonly realm: string;
  readonly name: string;
}

export function keyOf({ realm, name }: TopicKey): string {
  // A realm's name has no NUL, so that no two topics have one key.
  return `${realm}\0${name}`;
}

/** Changes of what the dialling relay wants. `begin`, `end`: the first and the last of the frames that name all of it. */
export interface InterestFrame {
  readonly type: 'interest';
  readonly version: number;
  readonly begin: boolean;
  readonly end: boolean;
  readonly add: readonly TopicKey[];
  readonly drop: readonly TopicKey[];
}

/** A claim to own a topic, as the relay announces it at which it was made. */
export interface PeerClaim extends TopicKey {
  readonly state: (typeof claimStates)[number];
  /** When it was made, in milliseconds since 1970 by the claimant's clock. */
  readonly since: number;
  /** Milliseconds that the topic outlives its owner; in a grace that runs: what is left of it. */
  readonly grace: number;
}

const claimStates = ['asked', 'owned', 'grace', 'gone'] as const;

export interface ClaimsFrame {
  readonly type: 'claims';
  /** Of a claim that asks, to be answered by a `verdict`; 0: it does not. */
  readonly ref: number;
  readonly begin: boolean;
  readonly end: boolean;
  readonly claims: readonly PeerClaim[];
}

/** A topic of which the dialling relay has the messages up to a position. */
export interface Behind extends TopicKey {
  /**
   * Positions as text, the newest first, with commas between: where the dialling relay stands, and where it has left
   * earlier epochs. '': there is none.
   */
  readonly since: string;
}

export interface ResumeFrame {
  readonly type: 'resume';
  readonly topics: readonly Behind[];
}

/** Version 2: the numbers that a relay tells of itself, as JSON (`measure/vitals.ts`). */
export interface VitalsFrame {
  readonly type: 'vitals';
  readonly text: string;
}

/** The type of a frame of messages. */
export const MESSAGES = 16;
/** The type of a frame of messages that the other relay is to give their order; the number is of relays passed before. */
export const FORWARDED = 17;

/** How a field is written and read. Reading never throws: what is not there makes the reader `bad`. */
interface Field<T> {
  write(to: Writer, value: T): void;
  read(from: Reader): T;
}

const text: Field<string> = { write: (to, value) => to.text(value), read: (from) => from.text() };
const bytes: Field<Buffer> = { write: (to, value) => to.bytes(value), read: (from) => from.bytes() };
const u32: Field<number> = { write: (to, value) => to.u32(value), read: (from) => from.u32() };
const u64: Field<number> = { write: (to, value) => to.u64(value), read: (from) => from.u64() };
const flag: Field<boolean> = {
  write: (to, value) => to.byte(value ? 1 : 0),
  read: (from) => from.byte() === 1,
};

/** One of these words, as a byte. */
function word<T>(words: readonly T[]): Field<T> {
  return {
    write: (to, value) => to.byte(words.indexOf(value)),
    read(from) {
      const value = words[from.byte()];
      if (value === undefined) from.bad = true;
      return value as T;
    },
  };
}

/** Fields in this order. */
function record<T extends object>(fields: { readonly [K in keyof T]: Field<T[K]> }): Field<T> {
  return {
    write(to, value) {
      for (const key in fields) fields[key].write(to, value[key]);
    },
    read(from) {
      const value = {} as T;
      for (const key in fields) value[key] = fields[key].read(from);
      return value;
    },
  };
}

function list<T>(each: Field<T>): Field<readonly T[]> {
  return {
    write(to, values) {
      to.u32(values.length);
      for (const value of values) each.write(to, value);
    },
    read(from) {
      const values: T[] = [];
      for (let left = from.u32(); left > 0 && !from.bad; left--) values.push(each.read(from));
      return values;
    },
  };
}

interface Ends {
  readonly begin: boolean;
  readonly end: boolean;
}

/** A field, then both ends of a list in one byte, and then other fields. */
function withEnds<A extends object, B extends object>(
  before: Field<A>,
  behind: Field<B>,
): Field<A & Ends & B> {
  return {
    write(to, value) {
      before.write(to, value);
      to.byte((value.begin ? 1 : 0) | (value.end ? 2 : 0));
      behind.write(to, value);
    },
    read(from) {
      const first = before.read(from);
      const ends = from.byte();
      return { ...first, begin: (ends & 1) !== 0, end: (ends & 2) !== 0, ...behind.read(from) };
    },
  };
}

const relay = record<Relay>({ node: text, incarnation: text });
const topic = record<TopicKey>({ realm: text, name: text });
const topics = list(topic);
/** What interest is in. A pattern has its place, and nobody names one yet: it is read and left out. */
const kinds = ['topic', 'pattern'] as const;
const kind = word(kinds);
const topicsByKind: Field<readonly TopicKey[]> = {
  write(to, values) {
    to.u32(values.length);
    for (const value of values) {
      kind.write(to, 'topic');
      topic.write(to, value);
    }
  },
  read(from) {
    const values: TopicKey[] = [];
    for (let left = from.u32(); left > 0 && !from.bad; left--) {
      const what = kind.read(from);
      const value = topic.read(from);
      if (what === 'topic') values.push(value);
    }
    return values;
  },
};
const claims = list(
  record<PeerClaim>({ realm: text, name: text, state: word(claimStates), since: u64, grace: u64 }),
);

type FieldsOf<Type> = Omit<Extract<PeerFrame, { readonly type: Type }>, 'type'>;

type Layouts<Type extends PeerFrame['type']> = { readonly [T in Type]: Field<FieldsOf<T>> };

/** The frames in the order of their types, which are the numbers from 1 on. */
const first: Layouts<Exclude<PeerFrame['type'], 'resume' | 'presence' | 'vitals' | 'fate'>> = {
  hello: record<FieldsOf<'hello'>>({ relay, nonce: bytes, of: text, last: u64, received: u64, epoch: u64 }),
  challenge: record<FieldsOf<'challenge'>>({ relay, nonce: bytes }),
  proof: record<FieldsOf<'proof'>>({ mac: bytes }),
  welcome: record<FieldsOf<'welcome'>>({ mac: bytes, next: u64, epoch: u64, taken: u64 }),
  refuse: record<FieldsOf<'refuse'>>({ why: word(refusals), text }),
  heartbeat: record<FieldsOf<'heartbeat'>>({ last: u64, received: u64 }),
  interest: withEnds(record({ version: u64 }), record({ add: topics, drop: topics })),
  confirm: record<FieldsOf<'confirm'>>({ version: u64 }),
  claims: withEnds(record({ ref: u32 }), record({ claims })),
  verdict: record<FieldsOf<'verdict'>>({ ref: u32, granted: flag }),
  epoch: record<FieldsOf<'epoch'>>({ epoch: u64 }),
};
const second: Layouts<PeerFrame['type']> = {
  ...first,
  interest: withEnds(record({ version: u64 }), record({ add: topicsByKind, drop: topicsByKind })),
  resume: record<FieldsOf<'resume'>>({
    topics: list(record<Behind>({ realm: text, name: text, since: text })),
  }),
  presence: record<FieldsOf<'presence'>>({ realm: text, name: text, version: u64, entries: bytes }),
  vitals: record<FieldsOf<'vitals'>>({ text }),
  fate: record<FieldsOf<'fate'>>({ count: u64, failed: list(u64) }),
};
const types = Object.keys(second) as PeerFrame['type'][];

function layout(type: PeerFrame['type'] | undefined, version: Version): Field<PeerFrame> | undefined {
  if (type === undefined) return undefined;
  const layouts: Partial<Layouts<PeerFrame['type']>> = version === 1 ? first : second;
  return layouts[type] as Field<PeerFrame> | undefined;
}

/** Throws where a frame is not of the version: nothing is said that the other side does not understand. */
export function encodePeerFrame(frame: PeerFrame, version: Version = 1): Buffer {
  const fields = layout(frame.type, version);
  if (fields === undefined) throw new Error(`${frame.type} is not a frame of version ${version}`);
  const to = new Writer().byte(types.indexOf(frame.type) + 1);
  fields.write(to, frame);
  return to.finish();
}

/** Null: not a frame of this version. Nothing of the frame is kept but texts, and the buffers of a handshake. */
export function parsePeerFrame(frame: Buffer, version: Version = 1): PeerFrame | null {
  const from = new Reader(frame);
  const type = types[from.byte() - 1];
  const fields: object | undefined = layout(type, version)?.read(from);
  return fields !== undefined && from.done ? ({ type, ...fields } as PeerFrame) : null;
}

/** Characters of names in one frame: it stays well below what the other side takes, unless one name alone does not. */
const CHARACTERS = 64 * 1024;
const PER_TOPIC = 40;

/** What is to be told of interest, as frames. Of several, the last carries the version that is to be confirmed. */
export function interestFrames({
  version,
  all,
  add,
  drop,
}: Pick<InterestFrame, 'version' | 'add' | 'drop'> & { readonly all: boolean }): InterestFrame[] {
  return pieces([...add, ...drop]).map(({ from, to, first, last }) => ({
    type: 'interest',
    version: last ? version : 0,
    begin: all && first,
    end: all && last,
    add: add.slice(from, to),
    drop: drop.slice(Math.max(0, from - add.length), Math.max(0, to - add.length)),
  }));
}

export function resumeFrames(topics: readonly Behind[]): ResumeFrame[] {
  return pieces(topics).map(({ from, to }) => ({ type: 'resume', topics: topics.slice(from, to) }));
}

export function claimsFrames({
  ref,
  all,
  claims,
}: Pick<ClaimsFrame, 'ref' | 'claims'> & { readonly all: boolean }): ClaimsFrame[] {
  return pieces(claims).map(({ from, to, first, last }) => ({
    type: 'claims',
    ref,
    begin: all && first,
    end: all && last,
    claims: claims.slice(from, to),
  }));
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly first: boolean;
  readonly last: boolean;
}

/** At least one: nothing at all is told too. */
function pieces(topics: readonly { readonly name: string }[]): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  let size = 0;
  for (const [index, { name }] of topics.entries()) {
    const more = name.length + PER_TOPIC;
    if (index > from && size + more > CHARACTERS) {
      found.push({ from, to: index, first: from === 0, last: false });
      from = index;
      size = 0;
    }
    size += more;
  }
  found.push({ from, to: topics.length, first: from === 0, last: true });
  return found;
}

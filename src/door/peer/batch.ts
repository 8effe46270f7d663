import type { Place } from '../../topic/follower.ts';
import { jsonMessage } from '../../topic/json-message.ts';
import type { Format, Message } from '../../topic/message.ts';
import { type Ancestor, isEpoch, type Numbered } from '../../topic/position.ts';
import { headerLength, writeHeader } from '../frame.ts';
import { FORWARDED, MESSAGES, type TopicKey, type Version } from './codec.ts';
import { Reader, Writer, writeU64 } from './wire.ts';

/**
 * Messages between relays. What a topic delivers in one turn is a batch: its length, realm, topic, and the messages
 * with their kinds; in version 2 with the place of the first one in the topic's line. The bytes of a batch are the same
 * for every link of a version. A frame is the number of its first message on this link, and as many batches as were waiting.
 */
const kinds = ['text', 'binary', 'json'] as const;

/** What stands before the bytes of a message: a byte for its kind, and its length in 32 bits. */
export const MESSAGE_HEAD = 5;

export function kindOf({ kind }: Message): number {
  return kinds.indexOf(kind);
}

/** Returns the offset behind the message. */
export function writeMessage(into: Buffer, at: number, kind: number, payload: Buffer): number {
  into[at] = kind;
  into.writeUInt32BE(payload.length, at + 1);
  into.set(payload, at + MESSAGE_HEAD);
  return at + MESSAGE_HEAD + payload.length;
}

/** The payload is a view. Null: it is of no kind that there is. */
export function readMessage(from: Reader): Message | null {
  const kind = kinds[from.byte()];
  const payload = from.bytes();
  if (kind === undefined) return null;
  return kind === 'json' ? jsonMessage(payload) : { kind, payload };
}

/** One message of a batch, as the topic's server keeps it while it makes a delivery. */
export interface BatchPart {
  readonly opcode: 2;
  readonly payload: Buffer;
  readonly kind: number;
  readonly topic: string;
  /** Null: the topic has no line, or the version no positions. */
  readonly at: Numbered | null;
  /** Its idempotency key; '' for none. */
  readonly key: string;
}

export function batchPart(message: Message, topic: string, at: Numbered | null = null, key = ''): BatchPart {
  return { opcode: 2, payload: message.payload, kind: kindOf(message), topic, at, key };
}

/** The deliveries to other relays: one format for each realm's topics and version, so that a batch is made once for all links. */
export class PeerFormats {
  readonly #formats = { 1: new Map<string, Format>(), 2: new Map<string, Format>() };

  /** The same object for the same realm and version, for ever. */
  of(realm: string, version: Version): Format {
    const formats = this.#formats[version];
    let format = formats.get(realm);
    if (format === undefined) {
      format = {
        name: 'peer',
        remote: true,
        render: version === 1 ? (message, topic) => batchPart(message, topic) : batchPart,
        assemble: (parts) => assemble(realm, parts as readonly BatchPart[], version),
      };
      formats.set(realm, format);
    }
    return format;
  }
}

/** One batch of the parts, all of one topic; in version 2 as many as their offsets have gaps and their epochs change. */
function assemble(realm: string, parts: readonly BatchPart[], version: Version): Buffer {
  if (version === 1) return batch(realm, parts);
  const batches: Buffer[] = [];
  let from = 0;
  for (let i = 1; i <= parts.length; i++) {
    if (i < parts.length && follows(parts[i]?.at, parts[i - 1]?.at)) continue;
    const { topic, at } = parts[from] as BatchPart;
    batches.push(batchAt({ realm, name: topic }, parts.slice(from, i), placeOf(at), false));
    from = i;
  }
  return batches.length === 1 ? (batches[0] as Buffer) : Buffer.concat(batches);
}

function follows(at: Numbered | null | undefined, before: Numbered | null | undefined): boolean {
  if (at == null || before == null) return at == null && before == null;
  return at.epoch === before.epoch && at.offset === before.offset + 1;
}

function placeOf(at: Numbered | null): Place | null {
  if (at === null) return null;
  return { epoch: at.epoch, first: at.offset, lineage: at.continues === undefined ? [] : [at.continues] };
}

/** One batch of version 1, of at least one part, all of one topic. */
export function batch(realm: string, parts: readonly BatchPart[]): Buffer {
  const { topic } = parts[0] as BatchPart;
  return batchOf({ realm, name: topic }, parts, null, false);
}

/**
 * One batch of version 2. `isAnswer`: to a `resume`; without messages it ends the answer, and tells where the line stands:
 * `first` is the offset of the message that comes next.
 */
export function batchAt(
  topic: TopicKey,
  parts: readonly Pick<BatchPart, 'kind' | 'payload' | 'key'>[],
  place: Place | null,
  isAnswer: boolean,
): Buffer {
  const { epoch = '', first = 0, lineage = [] } = place ?? {};
  const hasKeys = parts.some(({ key }) => key !== '');
  const head = new Writer().text(epoch).u64(first).u32(lineage.length);
  for (const { epoch: of, end } of lineage) head.text(of).u64(end);
  head.byte((isAnswer ? IS_ANSWER : 0) | (hasKeys ? HAS_KEYS : 0));
  return batchOf(topic, parts, head.finish(), hasKeys);
}

const IS_ANSWER = 1;
/** Behind the messages stand their idempotency keys. */
const HAS_KEYS = 2;

function batchOf(
  { realm, name }: TopicKey,
  parts: readonly Pick<BatchPart, 'kind' | 'payload' | 'key'>[],
  place: Buffer | null,
  hasKeys: boolean,
): Buffer {
  const realmLength = Buffer.byteLength(realm);
  const topicLength = Buffer.byteLength(name);
  const keys = hasKeys ? keysOf(parts) : NO_KEYS;
  let total = 16 + realmLength + topicLength + (place?.length ?? 0) + keys.length;
  for (const { payload } of parts) total += MESSAGE_HEAD + payload.length;
  const bytes = Buffer.allocUnsafe(total);
  bytes.writeUInt32BE(total - 4, 0);
  bytes.writeUInt32BE(realmLength, 4);
  bytes.write(realm, 8);
  let at = 8 + realmLength;
  bytes.writeUInt32BE(topicLength, at);
  bytes.write(name, at + 4);
  at += 4 + topicLength;
  if (place !== null) {
    bytes.set(place, at);
    at += place.length;
  }
  at = bytes.writeUInt32BE(parts.length, at);
  for (const { kind, payload } of parts) at = writeMessage(bytes, at, kind, payload);
  bytes.set(keys, at);
  return bytes;
}

const NO_KEYS = Buffer.alloc(0);

function keysOf(parts: readonly Pick<BatchPart, 'key'>[]): Buffer {
  const to = new Writer();
  for (const { key } of parts) to.text(key);
  return to.finish();
}

/** The topic of a batch. */
export function topicOfBatch(bytes: Buffer): TopicKey {
  const from = new Reader(bytes.subarray(4));
  return { realm: from.text(), name: from.text() };
}

const BINARY = 2;

/** What stands before batches of `length` bytes: the header of the WebSocket frame, the type, and the first number. */
export function messagesHeader(first: number, length: number): Buffer {
  const payload = length + 9;
  const header = Buffer.allocUnsafe(headerLength(payload) + 9);
  const at = writeHeader(header, 0, BINARY, payload);
  header[at] = MESSAGES;
  writeU64(header, first, at + 1);
  return header;
}

/** A frame of messages as it is read. `first`: the number of its first message; of those forwarded, the relays passed. */
export interface Messages {
  readonly type: 'messages';
  readonly first: number;
  readonly batches: readonly Batch[];
}

/** A batch as it is read. The payloads are views of the frame. */
export interface Batch extends TopicKey {
  readonly messages: readonly Message[];
  readonly bytes: number;
  /** Null: its messages have no positions. */
  readonly place: Place | null;
  /** To a `resume`. */
  readonly isAnswer: boolean;
  /** Each message's idempotency key, '' for none; null: there are none. */
  readonly keys: readonly string[] | null;
}

/** A message that goes to its home, and the idempotency key that its publisher has given it. */
export interface Forwarded {
  readonly message: Message;
  readonly key: string;
}

/** A batch of messages to be given their order. Version 1 has no keys: what they are for is left out there. */
export function forwardedBatch(
  { realm, name }: TopicKey,
  messages: readonly Forwarded[],
  version: Version,
): Buffer {
  const to = new Writer().text(realm).text(name).u32(messages.length);
  for (const { message, key } of messages) {
    to.byte(kindOf(message)).bytes(message.payload);
    if (version > 1) to.text(key);
  }
  const bytes = to.finish();
  return new Writer().bytes(bytes).finish();
}

/** A frame of messages to be given their order. `hops`: how many relays have passed them on before. */
export function forwardedFrame(hops: number, batches: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(9);
  head[0] = FORWARDED;
  writeU64(head, hops, 1);
  return Buffer.concat([head, ...batches]);
}

/** Null: it is no frame of messages. */
export function parseMessages(frame: Buffer, version: Version = 1): Messages | null {
  const from = new Reader(frame);
  const type = from.byte();
  if (type !== MESSAGES && type !== FORWARDED) return null;
  const first = from.u64();
  const batches: Batch[] = [];
  while (from.left > 0 && !from.bad) {
    const one = parseBatch(
      from.bytes(),
      version === 1 ? 'plain' : type === MESSAGES ? 'placed' : 'forwarded',
    );
    if (one === null) return null;
    batches.push(one);
  }
  return from.bad ? null : { type: 'messages', first, batches };
}

/** `plain`: version 1 tells no more than the messages. `placed`: where they stand. `forwarded`: they are to be given their order. */
function parseBatch(bytes: Buffer, form: 'plain' | 'placed' | 'forwarded'): Batch | null {
  const from = new Reader(bytes);
  const realm = from.text();
  const name = from.text();
  const head = form === 'placed' ? readPlace(from) : NO_PLACE;
  if (head === null) return null;
  const { hasKeys, ...standing } = head;
  const messages: Message[] = [];
  const keys: string[] | null = hasKeys || form === 'forwarded' ? [] : null;
  for (let left = from.u32(); left > 0 && !from.bad; left--) {
    const message = readMessage(from);
    if (message === null) return null;
    messages.push(message);
    if (form === 'forwarded') keys?.push(from.text());
  }
  if (hasKeys) for (let i = 0; i < messages.length; i++) keys?.push(from.text());
  // Whatever is counted from the first on stays a number that can be counted.
  if ((standing.place?.first ?? 0) + messages.length > Number.MAX_SAFE_INTEGER) return null;
  return from.done ? { realm, name, messages, bytes: bytes.length, keys, ...standing } : null;
}

const NO_PLACE = { place: null, isAnswer: false, hasKeys: false } as const;

/** Null: there is no such place. */
function readPlace(from: Reader): (Pick<Batch, 'place' | 'isAnswer'> & { readonly hasKeys: boolean }) | null {
  const epoch = from.text();
  const first = from.u64();
  const lineage: Ancestor[] = [];
  for (let left = from.u32(); left > 0 && !from.bad; left--)
    lineage.push({ epoch: from.text(), end: from.u64() });
  const flags = from.byte();
  const isAnswer = (flags & IS_ANSWER) !== 0;
  const hasKeys = (flags & HAS_KEYS) !== 0;
  if (epoch === '') return { place: null, isAnswer, hasKeys };
  if (!isEpoch(epoch) || first < 1 || lineage.some((one) => !isEpoch(one.epoch))) return null;
  return { place: { epoch, first, lineage }, isAnswer, hasKeys };
}

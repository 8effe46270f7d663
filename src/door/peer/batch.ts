import { jsonMessage } from '../../topic/json-message.ts';
import type { Format, Message } from '../../topic/message.ts';
import { headerLength, writeHeader } from '../frame.ts';
import { FORWARDED, MESSAGES, type TopicKey } from './codec.ts';
import { Reader, writeU64 } from './wire.ts';

/**
 * Messages between relays. What a topic delivers in one turn is a batch: its length, realm, topic, and the messages
 * with their kinds. The bytes of a batch are the same for every link. A frame is the number of its first message on
 * this link, and as many batches as were waiting.
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
}

export function batchPart(message: Message, topic: string): BatchPart {
  return { opcode: 2, payload: message.payload, kind: kindOf(message), topic };
}

/** The deliveries to other relays: one format for the topics of each realm, so that a batch is made once for all links. */
export class PeerFormats {
  readonly #formats = new Map<string, Format>();

  /** The same object for the same realm, for ever. */
  of(realm: string): Format {
    let format = this.#formats.get(realm);
    if (format === undefined) {
      format = {
        name: 'peer',
        remote: true,
        render: batchPart,
        assemble: (parts) => batch(realm, parts as readonly BatchPart[]),
      };
      this.#formats.set(realm, format);
    }
    return format;
  }
}

/** One batch of at least one part, all of one topic. */
export function batch(realm: string, parts: readonly BatchPart[]): Buffer {
  const { topic } = parts[0] as BatchPart;
  const realmLength = Buffer.byteLength(realm);
  const topicLength = Buffer.byteLength(topic);
  let total = 16 + realmLength + topicLength;
  for (const { payload } of parts) total += MESSAGE_HEAD + payload.length;
  const bytes = Buffer.allocUnsafe(total);
  bytes.writeUInt32BE(total - 4, 0);
  bytes.writeUInt32BE(realmLength, 4);
  bytes.write(realm, 8);
  let at = 8 + realmLength;
  bytes.writeUInt32BE(topicLength, at);
  bytes.write(topic, at + 4);
  at += 4 + topicLength;
  at = bytes.writeUInt32BE(parts.length, at);
  for (const { kind, payload } of parts) at = writeMessage(bytes, at, kind, payload);
  return bytes;
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
}

/** A frame of messages to be given their order. `hops`: how many relays have passed them on before. */
export function forwardedFrame(hops: number, batches: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(9);
  head[0] = FORWARDED;
  writeU64(head, hops, 1);
  return Buffer.concat([head, ...batches]);
}

/** Null: it is no frame of messages. */
export function parseMessages(frame: Buffer): Messages | null {
  const from = new Reader(frame);
  const type = from.byte();
  if (type !== MESSAGES && type !== FORWARDED) return null;
  const first = from.u64();
  const batches: Batch[] = [];
  while (from.left > 0 && !from.bad) {
    const one = parseBatch(from.bytes());
    if (one === null) return null;
    batches.push(one);
  }
  return from.bad ? null : { type: 'messages', first, batches };
}

function parseBatch(bytes: Buffer): Batch | null {
  const from = new Reader(bytes);
  const realm = from.text();
  const name = from.text();
  const messages: Message[] = [];
  for (let left = from.u32(); left > 0 && !from.bad; left--) {
    const message = readMessage(from);
    if (message === null) return null;
    messages.push(message);
  }
  return from.done ? { realm, name, messages, bytes: bytes.length } : null;
}

import { type Msg, type MsgHdrs, headers as newHeaders } from '@nats-io/transport-node';
import { readMessage } from '../../door/peer/batch.ts';
import type { Relay } from '../../door/peer/codec.ts';
import { Reader } from '../../door/peer/wire.ts';
import type { Message } from '../../topic/message.ts';

/** What has come on the subject of a topic: messages of another relay, what this relay has sent itself, or nothing of a relay's. */
export type Arrival = Arrived | 'own' | 'foreign';

export interface Arrived {
  readonly node: string;
  readonly messages: readonly Message[];
  readonly bytes: number;
}

const HEADER = 'Fanfare-Relay';
const VERSION = '1';

/** The headers of all that a relay sends. */
export function headersOf({ incarnation, node }: Relay): MsgHdrs {
  const headers = newHeaders();
  headers.set(HEADER, `${VERSION} ${incarnation} ${node}`);
  return headers;
}

/** Null: it is from no relay, or from none that speaks this version. */
export function senderOf({ headers }: Pick<Msg, 'headers'>): Relay | null {
  const [version, incarnation, node, ...more] = headers?.get(HEADER).split(' ') ?? [];
  if (version !== VERSION || !incarnation || !node || more.length > 0) return null;
  return { incarnation, node };
}

/**
 * `self`: this relay's start. The server echoes nothing; but a connection that has just been lost may still be dying at
 * another server.
 */
export function arrival(message: Pick<Msg, 'headers' | 'data'>, self: string): Arrival {
  const from = senderOf(message);
  if (from === null) return 'foreign';
  if (from.incarnation === self) return 'own';
  const { data } = message;
  const messages = decodeMessages(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  return messages === null ? 'foreign' : { node: from.node, messages, bytes: data.byteLength };
}

/** The payloads are views of `bytes`. Null: it is not of this form. */
export function decodeMessages(bytes: Buffer): Message[] | null {
  const from = new Reader(bytes);
  const messages: Message[] = [];
  while (from.left > 0) {
    const message = readMessage(from);
    if (message === null || from.bad) return null;
    messages.push(message);
  }
  return messages.length === 0 ? null : messages;
}

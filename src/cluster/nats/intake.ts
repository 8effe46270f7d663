import { type Self, send } from '../../otp/process.ts';
import type { MemberMessage } from '../../topic/topic.ts';
import type { TopicKey } from '../backplane.ts';
import type { NatsNetwork } from './network.ts';
import { decodeMessages } from './payload.ts';
import type { Heard } from './peers.ts';

/** What comes in. */
export interface Intake {
  readonly network: NatsNetwork;
  /** Bytes that are on their way to topics. */
  credit: number;
}

/** A message of NATS, and the relay that it is from. */
interface Parcel {
  readonly from: Heard;
  readonly data: Uint8Array;
}

const CREDIT_MESSAGE = 64;

/**
 * Publishes here what another relay has sent. The last message brings back the credit of all. The server cannot be made
 * to wait for one of its subscribers: what comes faster than topics here take it is dropped, and counted.
 */
export function arrived(
  intake: Intake,
  self: Self<MemberMessage>,
  topic: TopicKey,
  { from, data }: Parcel,
): void {
  const { network } = intake;
  const { stats, settings } = network;
  const topics = network.topics();
  const messages = decodeMessages(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  if (messages === null) {
    stats.foreign++;
    return;
  }
  const { length } = messages;
  const server = topics.find(topic.realm, topic.name)?.server;
  stats.received += length;
  stats.bytesIn += data.byteLength;
  if (server === undefined) {
    stats.unheard += length;
    topics.accounting.messages += length;
    topics.accounting.lost.unheard += length;
    return;
  }
  if (settings.pending > 0 && intake.credit >= settings.pending) {
    refuse(network, length, 'refused');
    return;
  }
  const via = { node: from.node, epoch: 0 };
  const cost = data.byteLength + CREDIT_MESSAGE * length;
  for (const [index, message] of messages.entries()) {
    const credit = index === length - 1 ? cost : 0;
    const taken = send(server, { type: 'publish', message, from: self, credit, via });
    if (taken && credit > 0) intake.credit += credit;
    if (!taken) refuse(network, 1, 'refused');
  }
}

/** Counts what has come and is taken by nobody. `why`: the link takes no more, or has ended. */
export function notTaken(network: NatsNetwork, data: Uint8Array, why: 'refused' | 'crash'): void {
  const messages = decodeMessages(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  if (messages === null) return;
  network.stats.received += messages.length;
  network.stats.bytesIn += data.byteLength;
  refuse(network, messages.length, why);
}

function refuse({ stats, topics }: NatsNetwork, count: number, why: 'refused' | 'crash'): void {
  const { accounting } = topics();
  stats.refused += count;
  accounting.messages += count;
  accounting.lost[why] += count;
}

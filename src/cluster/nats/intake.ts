import type { Publication } from '../publication.ts';
import type { TopicKey } from '../topic-key.ts';
import type { NatsNetwork } from './network.ts';
import { decodeMessages } from './payload.ts';
import type { Heard } from './peers.ts';

/** What comes in. */
export interface Intake {
  readonly network: NatsNetwork;
  readonly publication: Publication;
}

/** A message of NATS, and the relay that it is from. */
interface Parcel {
  readonly from: Heard;
  readonly data: Uint8Array;
}

/**
 * Publishes here what another relay has sent. The server cannot be made to wait for one of its subscribers: what comes
 * faster than topics here take it is dropped, and counted.
 */
export function arrived({ network, publication }: Intake, topic: TopicKey, { from, data }: Parcel): void {
  const { stats, settings, topics } = network;
  const messages = decodeMessages(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  if (messages === null) {
    stats.foreign++;
    return;
  }
  stats.received += messages.length;
  stats.bytesIn += data.byteLength;
  const isFull = settings.pending > 0 && publication.underWay >= settings.pending;
  if (isFull && topics().find(topic.realm, topic.name)?.server !== undefined) {
    refuse(network, messages.length, 'refused');
    return;
  }
  stats.refused += publication.publish(topic, messages, data.byteLength, { node: from.node, epoch: 0 });
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
  stats.refused += count;
  topics().accounting.lose(count, why);
}

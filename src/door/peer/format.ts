import type { Format } from '../../topic/message.ts';
import { type BatchPart, batch, batchPart } from './batch.ts';

const formats = new Map<string, Format>();

/** The deliveries to other relays of the topics of one realm. The same object for the same realm, for ever. */
export function peerFormat(realm: string): Format {
  let format = formats.get(realm);
  if (format === undefined) {
    format = {
      name: 'peer',
      remote: true,
      render: batchPart,
      assemble: (parts) => batch(realm, parts as readonly BatchPart[]),
    };
    formats.set(realm, format);
  }
  return format;
}

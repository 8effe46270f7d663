import { isUtf8 } from 'node:buffer';
import type { Format, Part } from '../../topic/message.ts';
import { websocketFrames } from '../frame.ts';
import { publishJson } from '../json-frame.ts';

/** PuSu's deliveries: another client's frame as it was sent, and what came in by other doors as a `publish` frame. */
export const pusuFormat: Format = {
  name: 'pusu',
  render({ kind, payload }, topic): Part | 'undeliverable' {
    switch (kind) {
      case 'json':
        return { opcode: 1, payload };
      case 'text':
        return { opcode: 1, payload: publishJson(topic, payload.toString()) };
      case 'binary':
        return isUtf8(payload)
          ? { opcode: 1, payload: publishJson(topic, payload.toString()) }
          : 'undeliverable';
    }
  },
  assemble: websocketFrames,
};

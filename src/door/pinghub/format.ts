import { isUtf8 } from 'node:buffer';
import type { Format, Message, Part } from '../../topic/message.ts';
import { websocketFrames } from '../frame.ts';

/** pinghub's deliveries: text frames, none of them empty, because that is a keepalive here. */
export const pinghubFormat: Format = {
  name: 'pinghub',
  render: renderText,
  assemble: websocketFrames,
};

/** A message as non-empty text, shared by the door's two ways to listen. */
export function renderText(message: Message): Part | 'undeliverable' | 'nothing' {
  const payload = message.kind === 'json' ? message.content() : message.payload;
  if (payload === null || payload.length === 0) return 'nothing';
  if (message.kind === 'binary' && !isUtf8(payload)) return 'undeliverable';
  return { opcode: 1, payload };
}

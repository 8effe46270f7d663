import { isUtf8 } from 'node:buffer';
import type { Gap } from '../../topic/gap.ts';
import type { Format, Message, Part } from '../../topic/message.ts';
import type { Position } from '../../topic/position.ts';
import { websocketFrames } from '../frame.ts';

/** A way to listen that has words for positions: its clients come back with the last one, and get what they have missed. */
export interface ResumableFormat extends Format {
  gap(topic: string, gap: Pick<Gap, 'missed' | 'to'>): Part;
  /** Tells a client where it stands, and nothing else. */
  place(at: Position): Part;
}

/** The same, and without positions where nothing is kept. */
export function resumable(format: ResumableFormat): ResumableFormat {
  const { name, assemble } = format;
  return {
    ...format,
    unkept: { name, render: (message, topic) => format.render(message, topic, null), assemble },
  };
}

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

import type { Part } from '../../topic/message.ts';
import { formatPosition, type Position } from '../../topic/position.ts';
import { websocketFrames } from '../frame.ts';
import { renderText, resumable } from './format.ts';

/**
 * The subprotocol of WebSockets that resume. What the client sends is published as at any WebSocket of the door; what it
 * gets are events as a stream has them, each a frame of JSON.
 */
export const EVENTS = 'pinghub.events';

export const eventFramesFormat = resumable({
  name: 'pinghub-events',
  render(message, _topic, at) {
    const part = renderText(message);
    return typeof part === 'string' ? part : event(at, { data: part.payload.toString() });
  },
  gap: (_topic, { missed, to }) => event(to, { event: 'missed', data: missed }),
  place: (at) => event(at, {}),
  assemble: websocketFrames,
});

function event(at: Position | null, fields: object): Part {
  const id = at === null ? {} : { id: formatPosition(at) };
  return { opcode: 1, payload: Buffer.from(JSON.stringify({ ...id, ...fields })) };
}

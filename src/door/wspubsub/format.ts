import type { Format, Part } from '../../topic/message.ts';
import { websocketFrames } from '../frame.ts';

/** wspubsub's deliveries: frames of the kind that came in, text for what PuSu published. */
export const wspubsubFormat: Format = {
  name: 'wspubsub',
  render(message): Part | 'nothing' {
    switch (message.kind) {
      case 'text':
        return { opcode: 1, payload: message.payload };
      case 'binary':
        return { opcode: 2, payload: message.payload };
      case 'json': {
        const payload = message.content();
        return payload === null || payload.length === 0 ? 'nothing' : { opcode: 1, payload };
      }
    }
  },
  assemble: websocketFrames,
};

import type { Answer } from '../../door/peer/codec.ts';
import type { Pid } from '../../otp/process.ts';
import { informNamed } from '../../otp/registry.ts';
import type { System } from '../../otp/system.ts';
import type { LinkMessage } from '../backplane.ts';
import type { Network } from './network.ts';

/** What another relay has answered to what `link` has told it, whichever way it came. */
export function reportAnswer(system: System, network: Network, link: Pid<LinkMessage>, frame: Answer): void {
  if (frame.type === 'confirm') {
    informNamed(system, network.interest, { type: 'confirmed', link, version: frame.version });
  } else {
    const { ref, granted } = frame;
    informNamed(system, network.ownership, { type: 'verdict', link, ref, granted });
  }
}

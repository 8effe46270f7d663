import type { GapReason } from './gap.ts';
import type { Ancestor, Position } from './position.ts';

/**
 * What happens to a line beside messages. hole: so many messages are missing, which take their offsets; null: nobody knows how
 * many, and one offset stands for them. continue: another epoch goes on at the last offset. truncate: another epoch goes
 * on at an earlier offset, and what is behind it has died. adopt: the line goes on elsewhere, and nothing of before counts.
 * skip: messages are kept that were sent to nobody here. `lineage`: all that the epoch continues, where that is known better.
 */
export type LineChange =
  | { readonly type: 'hole'; readonly count: number | null; readonly why: GapReason }
  | { readonly type: 'continue'; readonly epoch: string; readonly lineage?: readonly Ancestor[] }
  | {
      readonly type: 'truncate';
      readonly epoch: string;
      readonly last: number;
      readonly lineage?: readonly Ancestor[];
    }
  | {
      readonly type: 'adopt';
      readonly position: Position;
      readonly lineage?: readonly Ancestor[];
      readonly why: GapReason;
    }
  | { readonly type: 'skip'; readonly why: GapReason };

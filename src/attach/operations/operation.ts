import type { Pid } from '../../otp/process.ts';
import type { OwnWords } from '../../secret/redaction.ts';
import type { MemberMessage } from '../../topic/topic.ts';
import type { NodeView } from '../../view/node-view.ts';

/**
 * The named operations: what an operator may do by a word and some values, at the prompt of `attach` as functions, by
 * `rpc` with arguments in JSON, and where evaluation is off the only things there are.
 */
export interface Operation<Data = unknown> {
  readonly name: string;
  /** How it is written at the prompt. */
  readonly usage: string;
  readonly summary: string;
  /** Returns plain data, or a promise of it; throws a `Refusal` for what cannot be. */
  readonly run: (asked: Asked) => Data | Promise<Data>;
  /** The data as lines for people. A text is searched for secrets; our own words hold none. */
  readonly show: (data: Data) => string | OwnWords;
}

/** One call of an operation. */
export interface Asked {
  readonly node: NodeView;
  readonly args: readonly unknown[];
  /** Says something to the operator before or after the operation has returned. */
  readonly say: (line: string) => void;
  /** Aborted when the operator cancels it or goes. */
  readonly signal: AbortSignal;
  /** The operator is there no more: called once. */
  readonly onGone: (action: () => void) => void;
  /** Who publishes for the operator. */
  readonly publisher: () => Pid<MemberMessage> | undefined;
}

/** One that is told what its data is. */
export function operation<Data>(one: Operation<Data>): Operation {
  return one as Operation;
}

export const text = (data: string): string => data;

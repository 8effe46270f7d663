import type { Pid } from '../../otp/process.ts';
import type { OwnWords } from '../../secret/redaction.ts';
import type { MemberMessage } from '../../topic/topic.ts';
import { type NodeView, Refusal } from '../../view/relay-view.ts';
import { Misuse, type OptionTable } from './given.ts';

/**
 * The named operations: what an operator may do by a word and some values, at the prompt of `attach` as functions, by
 * `rpc` with arguments in JSON, and where evaluation is off the only things there are.
 */
export interface Operation<Data = unknown> {
  readonly name: string;
  /** How it is written at the prompt, its name first. */
  readonly usage: string;
  readonly summary: string;
  /** What it takes in braces. */
  readonly options?: OptionTable;
  /** What its first argument is, where it is no options: completion offers some. */
  readonly takes?: 'ref' | 'topic' | 'setting' | readonly string[];
  /** One way to ask it, that can be typed as it stands; where there is none, the usage can. */
  readonly example?: string;
  /** A program asks it again and again, as `fanfare top` does: the audit log has the first time of each session. */
  readonly isRefreshed?: boolean;
  /** It changes something of the relay; all others only look. */
  readonly isAction?: boolean;
  /** How many of its arguments the time line shows; undefined: all. Those behind them are what clients get. */
  readonly shownArguments?: number;
  /** Returns plain data, or a promise of it; throws a `Refusal` for what cannot be. */
  readonly run: (asked: Asked) => Data | Promise<Data>;
  /** The data as lines for people, of so many characters at the most. A text is searched for secrets; our own words hold none. */
  readonly show: (data: Data, width: number) => string | OwnWords;
}

/** One call of an operation. */
export interface Asked {
  readonly node: NodeView;
  /** The operator's name, for the log. */
  readonly who: string;
  readonly args: readonly unknown[];
  /** The operator stays after the answer; false: what is said later finds nobody. */
  readonly stays: boolean;
  /** Says something to the operator before or after the operation has returned. */
  readonly say: (line: string) => void;
  /** Aborted when the operator cancels it or goes. */
  readonly signal: AbortSignal;
  /** The action is called once, when the operator has gone. */
  readonly onGone: (action: () => void) => void;
  /** The process that publishes for the operator. */
  readonly publisher: () => Pid<MemberMessage> | undefined;
}

type Written<Data> = Omit<Operation<Data>, 'name' | 'show'> &
  Partial<Pick<Operation<Data>, 'show'>> & {
    /** How many of its arguments it cannot do without. */
    readonly needs?: number;
  };

/**
 * The name is the first word of the usage, in which each argument stands. Without `show` the data is a text, shown as it is.
 * Arguments that make no sense are refused with the usage: what is left out of account silently looks like an answer.
 */
export function operation<Data>({ needs = 0, ...one }: Written<Data>): Operation {
  const { usage } = one;
  const [, name = '', listed = ''] = /^([a-z_.]+)\((.*?)\)(?: or |$)/.exec(usage) ?? [];
  const most = listed === '' ? 0 : listed.replace(/\{[^}]*\}/g, '').split(',').length;
  const run = (asked: Asked) => {
    const { length } = asked.args;
    try {
      if (length > most)
        throw new Misuse(`${name} takes ${numberOfArguments(most)}, and these are ${length}`);
      if (length < needs) throw new Misuse(`${name} needs ${numberOfArguments(needs)}`);
      return one.run(asked);
    } catch (error) {
      throw error instanceof Misuse ? new Refusal(`${error.message}\nusage: ${usage}`) : error;
    }
  };
  return { show: (data: unknown) => String(data), ...one, name, run } as Operation;
}
function numberOfArguments(count: number): string {
  return count === 0 ? 'no arguments' : count === 1 ? 'one argument' : `${count} arguments`;
}

import { whole } from '../../attach/text.ts';
import { size } from '../../measure/size.ts';
import type { ListName, Row } from './lists.ts';

/** One look at a relay. */
export interface Look {
  readonly list: ListName;
  readonly rows: readonly Row[];
  /** Of rows; more than there are in `rows`, where only the first are told. */
  readonly total: number;
  readonly head: Head;
}

/** The relay as a whole. */
export interface Head {
  readonly node: string;
  /** From 0 to 1. */
  readonly busy: number;
  /** Per second. */
  readonly messages: number;
  readonly deliveries: number;
  readonly dropped: number;
  /** Bytes. */
  readonly memory: number;
}

/** Where looks come from. */
export interface Source {
  /** The next look at a list, sorted next to `sort`: rates are of the time since the last one. */
  next(list: ListName, sort: string): Promise<Look>;
  close(): void;
}

/** The relay in one line of so many characters, and how many rows there are. What has no room is left out. */
export function headText(
  head: Head,
  list: ListName,
  total: number,
  width = Number.POSITIVE_INFINITY,
): string {
  const { node, busy, messages, deliveries, dropped, memory } = head;
  const facts = [
    `${Math.round(busy * 100)}% busy`,
    `${whole(messages)} msg/s`,
    `${whole(deliveries)} deliv/s`,
    `${whole(dropped)} dropped/s`,
    size(memory),
  ];
  const line = () => [node, ...facts, `${whole(total)} ${list}`].join('  ');
  while (line().length > width && facts.length > 0) facts.pop();
  return line();
}

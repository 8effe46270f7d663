import { Refusal } from '../../view/node-view.ts';
import { acting } from './acting.ts';
import { looking } from './looking.ts';
import type { Operation } from './operation.ts';

const all: readonly Operation[] = [...looking, ...acting];

/** By name. */
export const operations: ReadonlyMap<string, Operation> = new Map(all.map((one) => [one.name, one]));

/** Help on one operation, or the list of all. */
export function help(name?: unknown): string {
  if (name === undefined) {
    const longest = Math.max(...all.map(({ usage }) => usage.length));
    const lines = all.map(({ usage, summary }) => `${usage.padEnd(longest)}  ${summary}`);
    return [
      ...lines,
      '',
      "A ref is '<88>', 88, a registered name, or 'topic:main:chat'. h('tree'): one of them.",
    ].join('\n');
  }
  const found = operations.get(String(name));
  if (found === undefined)
    throw new Refusal(`there is no ${String(name).slice(0, 100)}; h() lists what there is`);
  return `${found.usage}\n${found.summary}`;
}

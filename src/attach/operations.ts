import { Refusal } from '../view/relay-view.ts';
import { clientOperations } from './operations/clients.ts';
import { happeningOperations } from './operations/happenings.ts';
import { networkOperations } from './operations/network.ts';
import { nodeOperations } from './operations/node.ts';
import { type Operation, operation } from './operations/operation.ts';
import { processOperations } from './operations/processes.ts';
import { settingOperations } from './operations/settings.ts';
import { topicOperations } from './operations/topics.ts';
import type { Operations } from './operator-realm.ts';

/** All operations, by subject; in each room those that only look come first. */
const all: readonly Operation[] = [
  ...processOperations,
  ...topicOperations,
  ...clientOperations,
  ...networkOperations,
  ...happeningOperations,
  ...nodeOperations,
  ...settingOperations,
];

const byName: ReadonlyMap<string, Operation> = new Map(all.map((one) => [one.name, one]));

/** Help on one operation, or the list of all. */
export function help(name?: unknown): string {
  if (name === undefined) {
    return [
      ...all.map(({ usage, summary }) => `${usage}\n    ${summary}`),
      '',
      "A ref is '<88>', 88, a registered name, or 'topic:main:chat'.",
      "h('tree') explains one of them.",
    ].join('\n');
  }
  const found = byName.get(String(name));
  if (found === undefined)
    throw new Refusal(`there is no ${String(name).slice(0, 100)}; h() lists what there is`);
  return `${found.usage}\n${found.summary}`;
}

export const operations: Operations = {
  byName,
  help: operation({ usage: 'h(name)', summary: 'help', run: ({ args }) => help(args[0]) }),
};

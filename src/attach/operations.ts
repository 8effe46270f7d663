import { Refusal } from '../view/relay-view.ts';
import { clientOperations } from './operations/clients.ts';
import type { OptionTable } from './operations/given.ts';
import { happeningOperations } from './operations/happenings.ts';
import { networkOperations } from './operations/network.ts';
import { nodeOperations } from './operations/node.ts';
import { type Operation, operation } from './operations/operation.ts';
import { processOperations } from './operations/processes.ts';
import { settingOperations } from './operations/settings.ts';
import { topicOperations } from './operations/topics.ts';
import type { Operations } from './operator-realm.ts';
import { wrapped } from './text.ts';

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
      "h('top') explains one of them; TAB completes names, options, topics and refs.",
    ].join('\n');
  }
  const found = byName.get(String(name));
  if (found === undefined)
    throw new Refusal(`there is no ${String(name).slice(0, 100)}; h() lists what there is`);
  const { usage, summary, options, takes, example } = found;
  return [
    usage,
    summary,
    ...(options === undefined ? [] : ['', ...optionLines(options)]),
    ...(typeof takes === 'object' ? ['', wrapped(takes.join(', '), WIDTH, 'one of ')] : []),
    '',
    `example: ${example ?? usage}`,
  ].join('\n');
}

/** Characters of a line of help, which is no wider than an old terminal. */
const WIDTH = 80;

function optionLines(options: OptionTable): string[] {
  const rows = Object.entries(options);
  const widest = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, { about, words = [] }]) => {
    const lead = `  ${name.padEnd(widest)}  `;
    return words.length === 0 ? lead + about : wrapped(`${about}: ${words.join(', ')}`, WIDTH, lead);
  });
}

export const operations: Operations = {
  byName,
  help: operation({
    usage: 'h(name)',
    summary: 'help',
    takes: all.map(({ name }) => name),
    run: ({ args }) => help(args[0]),
  }),
};

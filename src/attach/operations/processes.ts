import { inspect } from 'node:util';
import * as processes from '../../view/processes.ts';
import type { NodeView } from '../../view/relay-view.ts';
import { pause } from '../../view/runtime.ts';
import {
  counts,
  duration,
  fieldLines,
  fieldsOf,
  known,
  left,
  rateOf,
  right,
  sizes,
  spare,
  spareRight,
  tableWithin,
  texts,
  whole,
} from '../text.ts';
import {
  count,
  FORCE_OPTION,
  fields,
  LONGEST,
  MOST_ROWS,
  type OptionTable,
  optionalCount,
  ROWS,
  ROWS_OPTION,
  rows,
  SECOND,
  windowOf,
  word,
} from './given.ts';
import { type Operation, operation } from './operation.ts';

const treeOptions = {
  children: { about: 'of alike processes below one supervisor, how many are shown: 10' },
} as const satisfies OptionTable;

const topOptions = {
  by: { about: 'the order', words: ['handled', 'mailbox', 'pending'] },
  ...ROWS_OPTION,
  window: { about: 'ms that are looked at: 1000 for what is busy now, 0 for all time' },
} as const satisfies OptionTable;

const traceOptions = {
  max: { about: 'how many messages: 10, or up to 1000' },
  period: { about: 'ms after which it ends: 10000' },
} as const satisfies OptionTable;

/** Characters of a line of a state, and of the name before it, which Node does not count. */
const WIDEST = 120;
const KEYS = 20;

export const processOperations: readonly Operation[] = [
  operation({
    usage: 'tree({children: 10})',
    summary: 'the supervision tree; alike ones are folded beyond so many',
    options: treeOptions,
    example: 'tree({children: 50})',
    run: ({ node, args }) => {
      const { children } = fields(args[0], treeOptions);
      return processes.tree(node, optionalCount(children, 'children', MOST_ROWS));
    },
    show: treeText,
  }),
  operation({
    usage: 'i(ref)',
    takes: 'ref',
    example: "i('topics.0.router')",
    needs: 1,
    summary: 'what is known of one process',
    run: ({ node, args }) => processes.info(node, args[0]),
    show: ({ details, ancestors, uptime, ...rest }, width) =>
      fieldLines(
        [
          ...fieldsOf(rest),
          ['up', duration(uptime)],
          ['ancestors', ancestors.join(' < ')],
          ...fieldsOf(details ?? {}),
        ],
        width,
      ),
  }),
  operation({
    usage: 'state(ref)',
    takes: 'ref',
    example: "state('listener.pusu')",
    needs: 1,
    summary: 'the state of a process, bounded; secrets and contents are not shown',
    run: ({ node, args }) => processes.state(node, args[0]),
    show: (data, width) =>
      inspect(data, { depth: 6, breakLength: Math.min(width, WIDEST) - KEYS, compact: 3 }),
  }),
  operation({
    usage: 'stats(ref)',
    takes: 'ref',
    example: "stats('topic:main:chat')",
    needs: 1,
    summary: 'mailbox, messages handled and restarts of a process',
    run: ({ node, args }) => processes.stats(node, args[0]),
    show: ({ uptime, ...rest }, width) => fieldLines([...fieldsOf(rest), ['up', duration(uptime)]], width),
  }),
  operation({
    usage: "top({by: 'handled', n: 20, window: 1000})",
    options: topOptions,
    example: "top({by: 'mailbox', n: 5})",
    summary: 'the busiest processes, by handled, mailbox or pending, in a window of ms',
    isRefreshed: true,
    run: ({ node, args, signal }) => {
      const { by, n, window } = fields(args[0], topOptions);
      const order = word(by, 'by', topOptions.by.words);
      const most = rows(n, ROWS);
      const period = windowOf(window, by === undefined || by === null);
      if (period === 0) return processes.top(node, order, most);
      const before = processes.handledSoFar(node);
      return pause(period, signal).then(() => processes.top(node, order, most, before));
    },
    show: (rows, width) =>
      tableWithin(
        width,
        rows,
        ...texts('ref'),
        left('process', ({ name, about }) => about ?? name),
        right('handled/s', ({ rate }) => known(rate, rateOf)),
        ...counts('mailbox'),
        spareRight('highest', ({ mailboxHighWater }) => whole(mailboxHighWater)),
        ...counts('handled').map(spare),
        ...sizes('pending'),
      ),
  }),
  operation({
    usage: 'trace(ref, {max: 10, period: 10000})',
    takes: 'ref',
    options: traceOptions,
    example: "trace('topic:main:chat', {max: 3})",
    summary: 'the next messages of a process as it handles them, contents by their size',
    needs: 1,
    run: ({ node, args, stays, say, signal, onGone }): Trace | Promise<Trace> => {
      const { max, period } = fields(args[1], traceOptions);
      const limit = count(max, 'max', 10, MOST_ROWS);
      const time = count(period, 'period', 10 * SECOND, LONGEST);
      if (!stays) return traced(node, args[0], limit, time, signal, onGone);
      onGone(processes.trace(node, args[0], { max: limit, period: time, say }));
      return `showing the next ${limit} messages of ${String(args[0])}, for ${time} ms at the most`;
    },
    show: (data) =>
      typeof data === 'string' ? data : data.length === 0 ? 'it has handled no message' : data.join('\n'),
  }),
  operation({
    usage: 'suspend(ref, {force: true})',
    takes: 'ref',
    options: FORCE_OPTION,
    example: "suspend('topic:main:chat')",
    isAction: true,
    needs: 1,
    summary: 'a process handles nothing until resume; supervisors only with force',
    run: ({ node, args }) => processes.suspend(node, args[0], fields(args[1], FORCE_OPTION).force === true),
  }),
  operation({
    usage: 'resume(ref)',
    takes: 'ref',
    example: "resume('topic:main:chat')",
    isAction: true,
    needs: 1,
    summary: 'a suspended process goes on',
    run: ({ node, args }) => processes.resume(node, args[0]),
  }),
  operation({
    usage: 'kill(ref, {force: true})',
    takes: 'ref',
    options: FORCE_OPTION,
    example: "kill('topic:main:chat')",
    isAction: true,
    needs: 1,
    summary: 'ends a process as a crash would; supervisors only with force',
    run: ({ node, args }) => processes.kill(node, args[0], fields(args[1], FORCE_OPTION).force === true),
  }),
];

/** What a trace has begun with, or the lines that it has come to. */
type Trace = string | readonly string[];

/** The lines of a trace, once it has ended. */
async function traced(
  node: NodeView,
  ref: unknown,
  max: number,
  period: number,
  signal: AbortSignal,
  onGone: (action: () => void) => void,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const complete = new AbortController();
  const say = (line: string) => {
    if (lines.push(line) === max) complete.abort();
  };
  onGone(processes.trace(node, ref, { max, period, say }));
  await pause(period, AbortSignal.any([signal, complete.signal]));
  return lines;
}

function treeText(roots: readonly processes.TreeNode[], width: number): string {
  const lines: { readonly lead: string; readonly cells: Readonly<Record<string, string>> }[] = [];
  const walk = (node: processes.TreeNode, lead: string, branch: string, below: string) => {
    lines.push({ lead: lead + branch + (node.about ?? node.name), cells: cellsOf(node) });
    const last = node.children.length - 1;
    for (const [i, child] of node.children.entries()) {
      const end = i === last && node.more === 0;
      walk(child, lead + below, end ? '└─ ' : '├─ ', end ? '   ' : '│  ');
    }
    for (const [i, { count, first, last: end, ...folded }] of node.folded.entries()) {
      const mark = i === node.folded.length - 1 ? '└─' : '├─';
      const which = first === end ? `… ${whole(count)} more` : `… ${whole(count)} more, to ${end}`;
      const cells = { below: whole(folded.below), 'below it': whole(folded.mailbox) };
      lines.push({ lead: `${lead}${below}${mark} ${which}`, cells: folded.below > 0 ? cells : {} });
    }
  };
  for (const root of roots) walk(root, '', '', '');
  type Line = (typeof lines)[number];
  const cell = (title: string) => (line: Line) => line.cells[title] ?? '';
  const numbers = (...titles: readonly string[]) => titles.map((title) => right(title, cell(title)));
  return tableWithin(
    width,
    lines,
    left('process', ({ lead }) => lead, 100, 44),
    left('ref', cell('ref')),
    ...numbers('below', 'mailbox'),
    ...numbers('below it', 'handled').map(spare),
    ...numbers('restarts'),
    ...numbers('up').map(spare),
    left('', cell('status')),
  );
}

function cellsOf(node: processes.TreeNode): Record<string, string> {
  const { ref, type, mailbox, handled, restarts, uptime, status } = node;
  return {
    ref,
    ...(type === 'supervisor' ? { below: whole(node.below), 'below it': whole(node.mailboxBelow) } : {}),
    mailbox: whole(mailbox),
    handled: whole(handled),
    restarts: whole(restarts),
    up: duration(uptime),
    status: status === 'running' ? '' : status,
  };
}

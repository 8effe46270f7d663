import { inspect } from 'node:util';
import { connections, why } from '../../view/connections.ts';
import * as processes from '../../view/processes.ts';
import { binLeak, nodeStats, pause, runtimeInfo } from '../../view/runtime.ts';
import { members, topics } from '../../view/topics.ts';
import { tree } from '../../view/tree.ts';
import { linksText } from '../format/links-text.ts';
import {
  binLeakText,
  connectionsText,
  infoText,
  membersText,
  reportsText,
  runtimeText,
  samplesText,
  statsText,
  topicsText,
  topText,
  treeText,
  whyText,
} from '../format/views.ts';
import { count, fields, word } from './arguments.ts';

import { type Operation, operation, text } from './operation.ts';

const ROWS = 20;
const MOST_ROWS = 1000;
const SECOND = 1000;
const LONGEST = 10 * 60 * SECOND;

/** Those that only look. */
export const looking: readonly Operation[] = [
  operation({
    name: 'tree',
    usage: 'tree({children: 10})',
    summary: 'the supervision tree, with counts, mailboxes and restarts',
    run: ({ node, args }) => tree(node, count(fields(args[0])['children'], 'children', 10, MOST_ROWS)),
    show: treeText,
  }),
  operation({
    name: 'i',
    usage: 'i(ref)',
    summary: 'what is known of one process',
    run: ({ node, args }) => processes.info(node, args[0]),
    show: infoText,
  }),
  operation({
    name: 'state',
    usage: 'state(ref)',
    summary: 'the state of a process, bounded; secrets and contents are not shown',
    run: ({ node, args }) => processes.state(node, args[0]),
    show: (data) => inspect(data, { depth: 6, breakLength: 110, compact: 3 }),
  }),
  operation({
    name: 'stats',
    usage: 'stats(ref)',
    summary: 'mailbox, messages handled and restarts of a process',
    run: ({ node, args }) => processes.stats(node, args[0]),
    show: statsText,
  }),
  operation({
    name: 'topics',
    usage: "topics({by: 'members'|'queue'|'handled'|'name', n: 20})",
    summary: 'the live topics',
    run: ({ node, args }) => {
      const { by, n } = fields(args[0]);
      return topics(
        node,
        word(by, 'by', ['members', 'queue', 'handled', 'name'], 'members'),
        count(n, 'n', ROWS, MOST_ROWS),
      );
    },
    show: topicsText,
  }),
  operation({
    name: 'members',
    usage: 'members(topic, {n: 20})',
    summary: 'who is in a topic',
    run: ({ node, args }) => members(node, args[0], count(fields(args[1])['n'], 'n', ROWS, MOST_ROWS)),
    show: membersText,
  }),
  operation({
    name: 'connections',
    usage: "connections({by: 'pending'|'out'|'in'|'age'|'topics', n: 20})",
    summary: 'the client connections',
    run: ({ node, args }) => {
      const { by, n } = fields(args[0]);
      return connections(
        node,
        word(by, 'by', ['pending', 'out', 'in', 'age', 'topics'], 'pending'),
        count(n, 'n', ROWS, MOST_ROWS),
      );
    },
    show: connectionsText,
  }),
  operation({
    name: 'peers',
    usage: 'peers()',
    summary: 'the links to other relays',
    run: ({ node }) => node.links() ?? 'this relay is alone: it has no links',
    show: (data) => (typeof data === 'string' ? data : linksText(data)),
  }),
  operation({
    name: 'top',
    usage: "top({by: 'mailbox'|'handled'|'pending', n: 20, window: 1000})",
    summary: 'the busiest processes; with a window in ms, what they handle in that time',
    run: async ({ node, args, signal }) => {
      const { by, n, window } = fields(args[0]);
      const order = word(by, 'by', ['mailbox', 'handled', 'pending'], 'mailbox');
      const rows = count(n, 'n', ROWS, MOST_ROWS);
      const period = count(window, 'window', 0, LONGEST);
      if (period === 0) return processes.top(node, order, rows);
      const before = processes.handledSoFar(node);
      await pause(period, signal);
      return processes.top(node, order, rows, before);
    },
    show: topText,
  }),
  operation({
    name: 'trace',
    usage: 'trace(ref, {max: 10, period: 10000})',
    summary: 'shows the next messages of a process as it handles them, contents by their size',
    run: ({ node, args, say, onGone }) => {
      const { max, period } = fields(args[1]);
      const limit = count(max, 'max', 10, MOST_ROWS);
      const time = count(period, 'period', 10 * SECOND, LONGEST);
      onGone(processes.trace(node, args[0], { max: limit, period: time, say }));
      return `showing the next ${limit} messages of ${String(args[0])}, for ${time} ms at the most`;
    },
    show: text,
  }),
  operation({
    name: 'why',
    usage: 'why(ref)',
    summary: 'why a connection was closed, of the last 10 000 that were',
    run: ({ node, args }) => why(node, args[0]),
    show: whyText,
  }),
  operation({
    name: 'node_stats',
    usage: 'node_stats(n, ms)',
    summary: 'n looks at traffic, memory and the event loop, ms apart',
    run: ({ node, args, signal }) => {
      const n = count(args[0], 'n', 5, MOST_ROWS);
      const period = count(args[1], 'ms', SECOND, LONGEST);
      return nodeStats(node, n, period, signal, () => undefined);
    },
    show: samplesText,
  }),
  operation({
    name: 'runtime_info',
    usage: 'runtime_info()',
    summary: 'version, memory, counts and what the event loop waits for',
    run: ({ node }) => runtimeInfo(node),
    show: runtimeText,
  }),
  operation({
    name: 'bin_leak',
    usage: 'bin_leak(n)',
    summary: 'collects garbage, which stops the relay for a moment, and says who holds most bytes',
    run: ({ node, args }) => binLeak(node, count(args[0], 'n', 10, MOST_ROWS)),
    show: binLeakText,
  }),
  operation({
    name: 'reports',
    usage: 'reports(n)',
    summary: 'the last crash and supervisor reports',
    run: ({ node, args }) => node.reports.last(count(args[0], 'n', 10, MOST_ROWS)),
    show: reportsText,
  }),
];

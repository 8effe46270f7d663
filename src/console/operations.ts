import { inspect } from 'node:util';
import type { Pid } from '../otp/process.ts';
import type { MemberMessage } from '../topic/topic.ts';
import { linksText } from './format/links-text.ts';
import {
  binLeakText,
  connectionsText,
  infoText,
  membersText,
  reloadText,
  reportsText,
  runtimeText,
  samplesText,
  statsText,
  topicsText,
  topText,
  treeText,
  whyText,
} from './format/views.ts';
import { count, fields, word } from './helpers/arguments.ts';
import { connections, disconnect, why } from './helpers/connections.ts';
import * as processes from './helpers/processes.ts';
import { binLeak, nodeStats, pause, runtimeInfo } from './helpers/runtime.ts';
import { members, publish, topics } from './helpers/topics.ts';
import { tree } from './helpers/tree.ts';
import { type NodeView, Refusal } from './node-view.ts';

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
  /** The data as lines for people. */
  readonly show: (data: Data) => string;
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

const ROWS = 20;
const MOST_ROWS = 1000;
const SECOND = 1000;
const LONGEST = 10 * 60 * SECOND;

function operation<Data>(one: Operation<Data>): Operation {
  return one as Operation;
}

const text = (data: string): string => data;

const all: readonly Operation[] = [
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
    run: ({ node }) => node.links?.() ?? 'this relay is alone: it has no links',
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
    name: 'suspend',
    usage: 'suspend(ref)',
    summary: 'a process handles no messages until resume; supervisors only with {force: true}',
    run: ({ node, args }) => processes.suspend(node, args[0], fields(args[1])['force'] === true),
    show: text,
  }),
  operation({
    name: 'resume',
    usage: 'resume(ref)',
    summary: 'a suspended process goes on',
    run: ({ node, args }) => processes.resume(node, args[0]),
    show: text,
  }),
  operation({
    name: 'kill',
    usage: 'kill(ref, {force: true})',
    summary: 'ends a process as a crash would; supervisors only with force',
    run: ({ node, args }) => processes.kill(node, args[0], fields(args[1])['force'] === true),
    show: text,
  }),
  operation({
    name: 'disconnect',
    usage: 'disconnect(ref, reason)',
    summary: 'closes a connection with 1001 and a reason',
    run: ({ node, args }) => disconnect(node, args[0], args[1]),
    show: text,
  }),
  operation({
    name: 'publish',
    usage: "publish('topic:main:chat', message)",
    summary: 'publishes a text, or the JSON of anything else',
    run: ({ node, args, publisher }) => {
      const from = publisher();
      if (from === undefined) throw new Refusal('the console is just being restarted; try again');
      return publish(node, args[0], args[1], from);
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
  operation({
    name: 'reload',
    usage: 'reload()',
    summary: 'reads the configuration again; a bad one changes nothing',
    run: ({ node }) => node.reload(),
    show: reloadText,
  }),
  operation({
    name: 'init.stop',
    usage: 'init.stop({confirm: true})',
    summary: 'drains and stops the whole relay',
    run: ({ node, args }) => {
      if (fields(args[0])['confirm'] !== true) {
        return 'this would stop the whole relay; to do so: init.stop({confirm: true})';
      }
      node.stop();
      return 'stopping';
    },
    show: text,
  }),
];

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

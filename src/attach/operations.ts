import { inspect } from 'node:util';
import { OwnWords, redactText } from '../secret/redaction.ts';
import { type ClientView, client, connections, disconnect, gone, members, why } from '../view/connections.ts';
import type { Certificate, Ended, TimedReport } from '../view/history.ts';
import { keptMessages, keptTopics } from '../view/kept.ts';
import type { Page } from '../view/page-of.ts';
import * as processes from '../view/processes.ts';
import { inOwnWords, type NodeView, Refusal, type Reloaded, type Setting } from '../view/relay-view.ts';
import { binLeak, nodeStats, pause, runtimeInfo } from '../view/runtime.ts';
import { publish, topics, trafficSoFar } from '../view/topics.ts';
import { wasMeant, whom } from '../view/whom.ts';
import type { Asked, Operation, Operations } from './operator-realm.ts';
import {
  type Column,
  counts,
  duration,
  fieldLines,
  known,
  left,
  right,
  safeLine,
  size,
  sizes,
  spare,
  spareRight,
  tableWithin,
  texts,
  whole,
} from './text.ts';

type Written<Data> = Omit<Operation<Data>, 'name' | 'show'> &
  Partial<Pick<Operation<Data>, 'show'>> & {
    /** How many of its arguments it cannot do without. */
    readonly needs?: number;
  };

/**
 * The name is the first word of the usage, in which each argument stands. Without `show` the data is a text, shown as it is.
 * Arguments that make no sense are refused with the usage: what is left out of account silently looks like an answer.
 */
function operation<Data>({ needs = 0, ...one }: Written<Data>): Operation {
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

/** Arguments that make no sense. */
class Misuse extends Error {}

const ROWS = 20;
const MOST_ROWS = 1000;
const FARTHEST = 10_000_000;
const SECOND = 1000;
const LONGEST = 10 * 60 * SECOND;

const milliseconds = (seconds: number) => `${Math.round(seconds * 10_000) / 10}ms`;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Operations that only look come first. */
const all: readonly Operation[] = [
  operation({
    usage: 'tree({children: 10})',
    summary: 'the supervision tree; alike ones are folded beyond so many',
    run: ({ node, args }) =>
      processes.tree(node, optionalCount(fields(args[0], 'children').children, 'children', MOST_ROWS)),
    show: treeText,
  }),
  operation({
    usage: 'i(ref)',
    needs: 1,
    summary: 'what is known of one process',
    run: ({ node, args }) => processes.info(node, args[0]),
    show: ({ details, ancestors, uptime, ...rest }) =>
      fieldLines([
        ...fieldsOf(rest),
        ['up', duration(uptime)],
        ['ancestors', ancestors.join(' < ')],
        ...fieldsOf(details ?? {}),
      ]),
  }),
  operation({
    usage: 'state(ref)',
    needs: 1,
    summary: 'the state of a process, bounded; secrets and contents are not shown',
    run: ({ node, args }) => processes.state(node, args[0]),
    show: (data) => inspect(data, { depth: 6, breakLength: 110, compact: 3 }),
  }),
  operation({
    usage: 'stats(ref)',
    needs: 1,
    summary: 'mailbox, messages handled and restarts of a process',
    run: ({ node, args }) => processes.stats(node, args[0]),
    show: ({ uptime, ...rest }) => fieldLines([...fieldsOf(rest), ['up', duration(uptime)]]),
  }),
  operation({
    usage: "topics({by: 'rate', n: 20, offset: 0, window: 1000})",
    summary: 'the live topics, by rate, deliveries, members, queue, kept or name',
    run: ({ node, args, signal }) => {
      const { by, n, offset, window } = fields(args[0], 'by', 'n', 'offset', 'window');
      const order = word(by, 'by', [
        'rate',
        'deliveries',
        'members',
        'queue',
        'handled',
        'kept',
        'keptBytes',
        'name',
      ]);
      const wanted = pageWanted(n, offset);
      const period = windowOf(window, order === 'rate' || order === 'deliveries');
      if (period === 0) return topics(node, order, wanted);
      const since = trafficSoFar(node);
      return pause(period, signal).then(() => topics(node, order, wanted, since));
    },
    show: (page, width) =>
      pageText(
        width,
        page,
        'topics',
        ...texts('topic'),
        ...texts('ref').map(spare),
        ...counts('members'),
        right('in/s', ({ rate }) => known(rate, rateOf)),
        right('out/s', ({ deliveries }) => known(deliveries, rateOf)),
        ...counts('queue', 'behind'),
        ...counts('handled', 'kept').map(spare),
        spareRight('bytes', ({ keptBytes }) => known(keptBytes, size)),
        left('owner', ({ owner }) => owner ?? ''),
      ),
  }),
  operation({
    usage: 'history(topic, n) or history({n: 20, offset: 0})',
    summary: 'the last messages that are kept of a topic; or of which topics most is kept',
    run: ({ node, args }) => {
      const [first, second] = args;
      if (typeof first === 'string') return keptMessages(node, first, rows(second, ROWS));
      const { n, offset } = fields(first, 'n', 'offset');
      return keptTopics(node, pageWanted(n, offset));
    },
    show: (data, width) =>
      'at' in data
        ? `${safeLine(data.topic)}: ${whole(data.messages)} messages and ${size(data.bytes)} are kept, the last at ${data.at}\n${tableWithin(
            width,
            data.rows,
            ...texts('at'),
            left('time', ({ time }) => new Date(time).toISOString()),
            ...texts('kind'),
            ...counts('bytes', 'missed'),
          )}`
        : pageText(
            width,
            data,
            'topics',
            ...texts('topic', 'at'),
            ...counts('messages'),
            ...sizes('bytes'),
            left('', ({ live }) => (live ? 'live' : '')),
          ),
  }),
  operation({
    usage: 'members(topic, {n: 20})',
    needs: 1,
    summary: 'who is in a topic',
    run: ({ node, args }) => members(node, args[0], rows(fields(args[1], 'n').n, ROWS)),
    show: (page, width) =>
      pageText(
        width,
        page,
        `members of ${safeLine(page.topic)}`,
        ...texts('ref', 'door', 'address', 'format'),
        ...sizes('pending'),
        left('', ({ behind }) => (behind ? 'behind' : '')),
      ),
  }),
  operation({
    usage: "connections({by: 'pending', n: 20, offset: 0, address, subject, topic, door})",
    summary: 'the clients, or some of them, by pending, out, in, age or topics',
    run: ({ node, args }) => {
      const { by, n, offset, ...meant } = fields(args[0], 'by', 'n', 'offset', ...LIVE);
      const order = word(by, 'by', ['pending', 'out', 'in', 'age', 'topics']);
      return connections(node, order, pageWanted(n, offset), whom(meant, Date.now()));
    },
    show: (page, width) =>
      pageText(
        width,
        page,
        'connections',
        ...texts('ref', 'door', 'address'),
        left('who', ({ subject }) => subject ?? ''),
        ...texts('state'),
        ...counts('topics'),
        ...sizes('pending'),
        spareRight('highest', ({ pendingHighWater }) => size(pendingHighWater)),
        ...counts('in', 'out').map(spare),
        spareRight('round trip', ({ roundTrip }) =>
          known(roundTrip, (time) => `${Math.round(time * 10) / 10}ms`),
        ),
        right('age', ({ age }) => duration(age)),
      ),
  }),
  operation({
    usage: 'client(ref, {window: 1000}) or client({address, subject, topic, door})',
    needs: 1,
    summary: 'one client, there or gone: who it is, its topics, rates, what waits for it',
    run: ({ node, args, signal }) => {
      const period = count(fields(args[1], 'window').window, 'window', SECOND, LONGEST);
      return client(node, oneOrMeant(args[0]), (time) => pause(time, signal), period);
    },
    show: (data) => (data.type === 'closed' ? whyText(data) : clientText(data)),
  }),
  operation({
    usage: 'peers()',
    summary: 'the links to other relays',
    run: ({ node }) => node.links() ?? 'this relay is alone: it has no links',
    show: (data, width) =>
      typeof data === 'string'
        ? data
        : tableWithin(
            width,
            data,
            ...texts('peer'),
            left('way', ({ direction }) => direction),
            ...texts('state'),
            ...texts('address').map(spare),
            right('round trip', ({ roundTrip }) => known(roundTrip, milliseconds)),
            right('lag', ({ lag }) => known(lag, milliseconds)),
            ...counts('messages').map(spare),
            ...sizes('bytes').map(spare),
            ...counts('lost'),
            ...sizes('pending'),
            spareRight('again', ({ reconnects }) => whole(reconnects)),
            left('', ({ why }) => why ?? ''),
          ),
  }),
  operation({
    usage: "top({by: 'handled', n: 20, window: 1000})",
    summary: 'the busiest processes, by handled, mailbox or pending, in a window of ms',
    run: ({ node, args, signal }) => {
      const { by, n, window } = fields(args[0], 'by', 'n', 'window');
      const order = word(by, 'by', ['handled', 'mailbox', 'pending']);
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
    summary: 'the next messages of a process as it handles them, contents by their size',
    needs: 1,
    run: ({ node, args, stays, say, signal, onGone }): Trace | Promise<Trace> => {
      const { max, period } = fields(args[1], 'max', 'period');
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
    usage: "why(ref) or why({address, subject, topic, reason, since: '10m', n, offset})",
    summary: 'why clients were closed or turned away: one, or a list, newest first',
    run: ({ node, args }): Certificate | Page<Ended> => {
      if (args.length === 1 && (typeof args[0] !== 'object' || args[0] === null)) return why(node, args[0]);
      const { n, offset, ...given } = fields(args[0], 'n', 'offset', ...LIVE, 'reason', 'since');
      const meant = whom(given, Date.now());
      return gone(node, pageWanted(n, offset), (ended) => wasMeant(ended, meant));
    },
    show: (data, width) => ('rows' in data ? goneText(width, data) : whyText(data)),
  }),
  operation({
    usage: 'node_stats(n, ms)',
    summary: 'n looks at traffic, memory and the event loop, ms apart',
    run: ({ node, args, signal }) =>
      nodeStats(node, rows(args[0], 5), count(args[1], 'ms', SECOND, LONGEST), signal),
    show: (samples, width) =>
      tableWithin(
        width,
        samples,
        right('at', ({ at }) => `${at}s`),
        ...counts('messages', 'delivered', 'dropped'),
        ...counts('processes').map(spare),
        right('memory', ({ rss }) => size(rss)),
        spareRight('heap', ({ heapUsed }) => size(heapUsed)),
        right('loop delay', ({ loopDelay }) => `${loopDelay}ms`),
        right('busy', ({ utilisation }) => `${Math.round(utilisation * 100)}%`),
      ),
  }),
  operation({
    usage: 'runtime_info()',
    summary: 'version, memory, counts and what the event loop waits for',
    run: ({ node }) => runtimeInfo(node),
    show: ({ memory, resources, uptime, pid, ...rest }) => {
      const kinds = Object.entries(resources).map(([kind, number]) => `${number} ${kind}`);
      return fieldLines([
        // A name, not a quantity: as the shell wants it.
        ['pid', String(pid)],
        ...fieldsOf(rest),
        ['up', duration(uptime * 1000)],
        ...Object.entries(memory).map(([name, bytes]) => [name, size(bytes)] as const),
        ['resources', kinds.join(', ')],
      ]);
    },
  }),
  operation({
    usage: 'bin_leak(n)',
    summary: 'collects garbage, which stops the relay for a moment; who holds most bytes',
    run: ({ node, args }) => binLeak(node, rows(args[0], 10)),
    show: ({ before, after, released, holders }, width) => {
      const head = `${size(before)} outside the heap, ${size(after)} after a collection: ${size(released)} released`;
      return `${head}\n${tableWithin(
        width,
        holders,
        ...texts('ref'),
        ...sizes('bytes'),
        left('', ({ what }) => what),
      )}`;
    },
  }),
  operation({
    usage: 'reports(n)',
    summary: 'the last crash and supervisor reports',
    run: ({ node, args }) => node.history.reports.last(rows(args[0], 10)),
    show: reportsText,
  }),
  operation({
    usage: 'config(part)',
    summary: 'the settings as they count now, all or a part, and where each comes from',
    run: ({ node, args }) => settingsOf(node, args[0]),
    show: (rows, width) =>
      tableWithin(
        width,
        rows,
        left('key', ({ key }) => key),
        left('value', ({ value }) => value),
        left('from', ({ from }) => from),
      ),
  }),
  // From here on they change something.
  operation({
    usage: 'suspend(ref, {force: true})',
    needs: 1,
    summary: 'a process handles nothing until resume; supervisors only with force',
    run: ({ node, args }) => processes.suspend(node, args[0], fields(args[1], 'force').force === true),
  }),
  operation({
    usage: 'resume(ref)',
    needs: 1,
    summary: 'a suspended process goes on',
    run: ({ node, args }) => processes.resume(node, args[0]),
  }),
  operation({
    usage: 'kill(ref, {force: true})',
    needs: 1,
    summary: 'ends a process as a crash would; supervisors only with force',
    run: ({ node, args }) => processes.kill(node, args[0], fields(args[1], 'force').force === true),
  }),
  operation({
    usage: 'disconnect(ref, reason) or disconnect({address, subject, topic}, reason)',
    needs: 1,
    summary: 'closes a connection, or all that are meant, with 1001 and a reason',
    run: ({ node, args }) => disconnect(node, oneOrMeant(args[0]), args[1]),
  }),
  operation({
    usage: "publish('topic:main:chat', message)",
    needs: 2,
    summary: 'publishes a text, or the JSON of anything else',
    run: ({ node, args, publisher }) => {
      const from = publisher();
      if (from === undefined) throw new Refusal('attach is just being restarted; try again');
      return publish(node, args[0], args[1], from);
    },
  }),
  operation({
    usage: 'reload()',
    summary: 'reads the configuration again; a bad one changes nothing',
    run: async ({ node }) => inOwnWords(await node.reload()),
    show: reloadText,
  }),
  operation({
    usage: "log_level('debug')",
    summary: 'says more or less in the log from now on; without a level, how much it says',
    run: ({ node, args }) => {
      if (args[0] === undefined || args[0] === null) return `the log says ${node.logLevel.get()} and above`;
      const level = word(args[0], 'the level', LOG_LEVELS);
      node.logLevel.set(level);
      return `the log says ${level} and above`;
    },
  }),
  operation({
    usage: 'init.stop({confirm: true})',
    summary: 'drains and stops the whole relay',
    run: ({ node, args }) => {
      if (fields(args[0], 'confirm').confirm !== true) {
        return 'this would stop the whole relay; to do so: init.stop({confirm: true})';
      }
      node.stop();
      return 'stopping';
    },
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

type Options<Key extends string> = { readonly [K in Key]?: unknown };

/** The fields of an operation's options, which has these alone. */
function fields<Key extends string>(value: unknown, ...keys: readonly Key[]): Options<Key> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new Misuse(
      `options are given as {key: value}; there ${keys.length === 1 ? 'is' : 'are'} ${keys.join(', ')}`,
    );
  const odd = Object.keys(value).find((key) => !(keys as readonly string[]).includes(key));
  if (odd !== undefined)
    throw new Misuse(
      `there is no option ${odd.slice(0, 100)}; there ${keys.length === 1 ? 'is' : 'are'} ${keys.join(', ')}`,
    );
  return value as Options<Key>;
}

/** What clients that are there may be looked for by. */
const LIVE = ['address', 'subject', 'topic', 'door'] as const;

/** A ref as it is, or the clients that are meant. */
function oneOrMeant(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const meant = whom(fields(value, ...LIVE), Date.now());
  if (Object.keys(meant).length === 0) throw new Misuse(`say which clients are meant, by ${LIVE.join(', ')}`);
  return meant;
}

function pageWanted(n: unknown, offset: unknown): { readonly limit: number; readonly offset: number } {
  return { limit: rows(n, ROWS), offset: offset === 0 ? 0 : count(offset, 'offset', 0, FARTHEST) };
}

/** A whole number from 1 to `most`. */
function count(value: unknown, name: string, fallback: number, most: number): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Misuse(`${name} is a whole number from 1 to ${most}`);
}

/** The same, where nothing may be said. */
function optionalCount(value: unknown, name: string, most: number): number | undefined {
  return value === undefined || value === null ? undefined : count(value, name, 1, most);
}

function rows(value: unknown, fallback: number): number {
  return count(value, 'n', fallback, MOST_ROWS);
}

/** One of some words; the first, where nothing is said. */
function word<T extends string>(value: unknown, name: string, words: readonly T[]): T {
  const found = value === undefined || value === null ? words[0] : words.find((one) => one === value);
  if (found === undefined) throw new Misuse(`${name} is one of ${words.join(', ')}`);
  return found;
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

function clientText(live: Extract<ClientView, { readonly type: 'live' }>): string {
  const { ref, door, transport, address, state, age, subject, authorised, memberships, owns, roundTrip } =
    live;
  return fieldLines([
    ['client', `${ref} at ${door} (${transport}), from ${address}`],
    ['state', state],
    ['identity', subject ?? (authorised ? 'a credential of its own' : 'anonymous')],
    ['there for', duration(age)],
    ['topics', memberships.length === 0 ? 'none' : memberships.join(', ')],
    ...(owns === null ? [] : ([['owner of', owns]] as const)),
    [
      'messages',
      `${whole(live.in)} in (${rateText(live.inRate)}), ${whole(live.out)} out (${rateText(live.outRate)})`,
    ],
    ['waiting', `${size(live.pending)}, ${size(live.pendingHighWater)} at the most`],
    ['round trip', roundTrip === null ? 'not pinged yet' : `${roundTrip}ms at the last ping`],
  ]);
}

function rateText(rate: number): string {
  return `${rateOf(rate)}/s`;
}

function rateOf(rate: number): string {
  return rate < 10 ? String(Math.round(rate * 10) / 10) : whole(rate);
}

/** Milliseconds that something is looked at; 0: not at all, unless `usual`. */
function windowOf(value: unknown, usual: boolean): number {
  return value === 0 ? 0 : count(value, 'window', usual ? SECOND : 0, LONGEST);
}

function goneText(width: number, page: Page<Ended>): string {
  return pageText(
    width,
    page,
    'clients',
    left('when', ({ at }) => new Date(at).toISOString().slice(0, 19)),
    left('ref', (ended) => (ended.type === 'closed' ? `<${ended.conn}>` : '-')),
    ...texts('door', 'address'),
    left('who', (ended) => (ended.type === 'closed' ? (ended.subject ?? '') : '')),
    left('why', (ended) =>
      ended.type === 'closed' ? `${ended.code} ${ended.reason}` : `refused: ${ended.reason}`,
    ),
    left('topics', (ended) => (ended.type === 'closed' ? ended.topics.join(', ') : '')),
  );
}

function whyText(certificate: Certificate): string {
  const { topics, topicCount, at, age, pendingHighWater, roundTrip } = certificate;
  const more = topicCount > topics.length ? `, … ${topicCount - topics.length} more` : '';
  return fieldLines([
    ['connection', `<${certificate.conn}> at ${certificate.door}, from ${certificate.address}`],
    ['closed', `${new Date(at).toISOString()}, ${certificate.code} ${certificate.reason}`],
    ['because', certificate.event],
    ['lived', duration(age)],
    ['identity', certificate.subject ?? (certificate.authorised ? 'a credential of its own' : 'anonymous')],
    ['topics', topicCount === 0 ? 'none' : topics.join(', ') + more],
    ...(certificate.owned === null ? [] : ([['owner of', certificate.owned]] as const)),
    ['messages', `${whole(certificate.in)} in, ${whole(certificate.out)} out`],
    ['pending', `${size(pendingHighWater)} at the most`],
    ['round trip', roundTrip === null ? 'never pinged' : `${roundTrip}ms at the last ping`],
  ]);
}

function reportsText(reports: readonly TimedReport[]): string {
  if (reports.length === 0) return '(none)';
  return reports
    .map(({ at, report }) => {
      const time = new Date(at).toISOString();
      const line =
        report.type === 'crash'
          ? `${time} crash of ${report.name ?? report.initialCall}${report.pid}${named(report)}: ${report.reason}`
          : `${time} ${report.supervisor}: ${report.context} ${report.offender.id}${named(report.offender)}: ${report.reason}`;
      const stack =
        report.type === 'crash' ? report.stack.slice(0, 5).map((frame) => `    ${safeLine(frame)}`) : [];
      return [safeLine(line), ...stack].join('\n');
    })
    .join('\n');
}

/** The topic or client of a process that failed. */
function named({ about }: { readonly about: string | null }): string {
  return about === null ? '' : ` (${about})`;
}

function settingsOf(node: NodeView, part: unknown): readonly Setting[] {
  const rows = node.settings();
  if (part === undefined) return rows;
  const found = rows.filter(({ key }) => key === part || key.startsWith(`${String(part)}.`));
  if (found.length === 0) throw new Refusal(`there is no key ${String(part)}`);
  return found;
}

function reloadText({ ok, errors, applied, reread, needsRestart }: Reloaded): OwnWords {
  const lines = errors.map((error) => (typeof error === 'string' ? redactText(error) : String(error)));
  if (applied.length > 0) lines.push(`applied: ${applied.join(', ')}`);
  if (reread.length > 0) lines.push(`read anew: ${reread.join(', ')}`);
  if (needsRestart.length > 0) lines.push(`needs a restart: ${needsRestart.join(', ')}`);
  if (!ok) lines.push('nothing was changed');
  if (lines.length === 0) lines.push('nothing has changed');
  return new OwnWords(lines.map(safeLine).join('\n'));
}

function fieldsOf(values: Readonly<Record<string, unknown>>): (readonly [string, string])[] {
  return Object.entries(values).map(([name, value]) => [name, plainText(value)] as const);
}

function plainText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'number') return Number.isInteger(value) ? whole(value) : String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    return value.length === 0 ? 'none' : value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A page as a table, and how much it leaves out. */
function pageText<Row>(
  width: number,
  { rows, total }: Page<Row>,
  what: string,
  ...columns: readonly Column<Row>[]
): string {
  const text = tableWithin(width, rows, ...columns);
  return rows.length < total ? `${text}\n… ${whole(rows.length)} of ${whole(total)} ${what}` : text;
}

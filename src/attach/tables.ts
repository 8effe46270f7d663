import type { Statistics } from '../otp/sys.ts';
import { OwnWords, redactText } from '../secret/redaction.ts';
import type { ConnectionRow, MembersOfTopic } from '../view/connections.ts';
import type { Certificate, TimedReport } from '../view/history.ts';
import type { Page } from '../view/page-of.ts';
import type { ProcessInfo, TopRow, TreeNode } from '../view/processes.ts';
import type { LinkView, Reloaded } from '../view/relay-view.ts';
import type { BinLeak, NodeSample, RuntimeInfo } from '../view/runtime.ts';
import type { TopicRow } from '../view/topics.ts';
import {
  counts,
  duration,
  fieldLines,
  known,
  left,
  right,
  safeLine,
  size,
  sizes,
  table,
  texts,
  whole,
} from './text.ts';

/** The data of operations as aligned, safe lines for people. */

export function treeText(roots: readonly TreeNode[]): string {
  const lines: { readonly lead: string; readonly cells: Readonly<Record<string, string>> }[] = [];
  const walk = (node: TreeNode, lead: string, branch: string, below: string) => {
    lines.push({ lead: lead + branch + node.name, cells: cellsOf(node) });
    const last = node.children.length - 1;
    for (const [i, child] of node.children.entries()) {
      const end = i === last && node.more === 0;
      walk(child, lead + below, end ? '└─ ' : '├─ ', end ? '   ' : '│  ');
    }
    if (node.more > 0) lines.push({ lead: `${lead}${below}└─ … ${whole(node.more)} more`, cells: {} });
  };
  for (const root of roots) walk(root, '', '', '');
  type Line = (typeof lines)[number];
  const cell = (title: string) => (line: Line) => line.cells[title] ?? '';
  const numbers = ['below', 'mailbox', 'below it', 'handled', 'restarts', 'up'];
  return table(
    lines,
    left('process', ({ lead }) => lead, 100),
    left('ref', cell('ref')),
    ...numbers.map((title) => right(title, cell(title))),
    left('', cell('status')),
  );
}

function cellsOf(node: TreeNode): Record<string, string> {
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

export function infoText(info: ProcessInfo): string {
  const { about, ancestors, uptime, ...rest } = info;
  return fieldLines([
    ...fieldsOf(rest),
    ['up', duration(uptime)],
    ['ancestors', ancestors.join(' < ')],
    ...fieldsOf(about ?? {}),
  ]);
}

export function statsText({ uptime, ...rest }: Statistics): string {
  return fieldLines([...fieldsOf({ ...rest }), ['up', duration(uptime)]]);
}

export function topicsText({ total, rows }: Page<TopicRow>): string {
  const text = table(
    rows,
    ...texts('topic', 'ref'),
    ...counts('members', 'queue', 'behind', 'handled'),
    left('owner', ({ owner }) => owner ?? ''),
  );
  return `${text}${outOf(rows.length, total, 'topics')}`;
}

export function membersText({ total, rows, topic }: MembersOfTopic): string {
  const text = table(
    rows,
    ...texts('ref', 'door', 'address', 'format'),
    ...sizes('pending'),
    left('', ({ behind }) => (behind ? 'behind' : '')),
  );
  return `${text}${outOf(rows.length, total, `members of ${safeLine(topic)}`)}`;
}

export function connectionsText({ total, rows }: Page<ConnectionRow>): string {
  const text = table(
    rows,
    ...texts('ref', 'door', 'address', 'phase'),
    ...counts('topics'),
    ...sizes('pending'),
    right('highest', ({ pendingHighWater }) => size(pendingHighWater)),
    ...counts('in', 'out'),
    right('round trip', ({ roundTrip }) => known(roundTrip, (time) => `${time}ms`)),
    right('age', ({ age }) => duration(age)),
  );
  return `${text}${outOf(rows.length, total, 'connections')}`;
}

export function linksText(rows: readonly LinkView[]): string {
  const milliseconds = (seconds: number) => `${Math.round(seconds * 10_000) / 10}ms`;
  return table(
    rows,
    ...texts('peer'),
    left('way', ({ direction }) => direction),
    ...texts('state', 'address'),
    right('round trip', ({ roundTrip }) => known(roundTrip, milliseconds)),
    right('lag', ({ lag }) => known(lag, milliseconds)),
    ...counts('messages'),
    ...sizes('bytes'),
    ...counts('lost'),
    ...sizes('pending'),
    right('again', ({ reconnects }) => whole(reconnects)),
    left('', ({ why }) => why ?? ''),
  );
}

export function topText(rows: readonly TopRow[]): string {
  return table(
    rows,
    ...texts('ref'),
    left('process', ({ name }) => name),
    ...counts('mailbox'),
    right('highest', ({ mailboxHighWater }) => whole(mailboxHighWater)),
    ...counts('handled'),
    ...sizes('pending'),
  );
}

export function whyText(certificate: Certificate): string {
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

export function reportsText(reports: readonly TimedReport[]): string {
  if (reports.length === 0) return '(none)';
  return reports
    .map(({ at, report }) => {
      const time = new Date(at).toISOString();
      const line =
        report.type === 'crash'
          ? `${time} crash of ${report.name ?? report.initialCall}${report.pid}: ${report.reason}`
          : `${time} ${report.supervisor}: ${report.context} ${report.offender.id}: ${report.reason}`;
      const stack =
        report.type === 'crash' ? report.stack.slice(0, 5).map((frame) => `    ${safeLine(frame)}`) : [];
      return [safeLine(line), ...stack].join('\n');
    })
    .join('\n');
}

export function runtimeText({ memory, resources, uptime, pid, ...rest }: RuntimeInfo): string {
  return fieldLines([
    // A name, not a quantity: as the shell wants it.
    ['pid', String(pid)],
    ...fieldsOf(rest),
    ['up', duration(uptime * 1000)],
    ...Object.entries(memory).map(([name, bytes]) => [name, size(bytes)] as const),
    [
      'resources',
      Object.entries(resources)
        .map(([kind, number]) => `${number} ${kind}`)
        .join(', '),
    ],
  ]);
}

export function samplesText(samples: readonly NodeSample[]): string {
  return table(
    samples,
    right('at', ({ at }) => `${at}s`),
    ...counts('messages', 'delivered', 'dropped', 'processes'),
    right('memory', ({ rss }) => size(rss)),
    right('heap', ({ heapUsed }) => size(heapUsed)),
    right('loop delay', ({ loopDelay }) => `${loopDelay}ms`),
    right('busy', ({ utilisation }) => `${Math.round(utilisation * 100)}%`),
  );
}

export function binLeakText({ before, after, released, holders }: BinLeak): string {
  const head = `${size(before)} outside the heap, ${size(after)} after a collection: ${size(released)} released`;
  const text = table(
    holders,
    ...texts('ref'),
    ...sizes('bytes'),
    left('', ({ what }) => what),
  );
  return `${head}\n${text}`;
}

export function reloadText({ ok, errors, applied, reread, needsRestart }: Reloaded): OwnWords {
  const lines = errors.map((error) => (typeof error === 'string' ? redactText(error) : String(error)));
  if (applied.length > 0) lines.push(`applied: ${applied.join(', ')}`);
  if (reread.length > 0) lines.push(`read anew: ${reread.join(', ')}`);
  if (needsRestart.length > 0) lines.push(`needs a restart: ${needsRestart.join(', ')}`);
  if (!ok && applied.length === 0) lines.push('nothing was changed');
  if (lines.length === 0) lines.push('nothing has changed');
  return new OwnWords(lines.map(safeLine).join('\n'));
}

function fieldsOf(values: Readonly<Record<string, unknown>>): (readonly [string, string])[] {
  return Object.entries(values).map(([name, value]) => [name, plainText(value)] as const);
}

function plainText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'number') return Number.isInteger(value) ? whole(value) : String(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function outOf(shown: number, total: number, what: string): string {
  return shown < total ? `\n… ${whole(shown)} of ${whole(total)} ${what}` : '';
}

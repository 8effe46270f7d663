import type { Statistics } from '../../otp/sys.ts';
import { OwnWords, redactText } from '../../secret/redaction.ts';
import type { Certificate } from '../../view/certificates.ts';
import type { ConnectionRow } from '../../view/connections.ts';
import type { Reloaded } from '../../view/node-view.ts';
import type { Page } from '../../view/page-of.ts';
import type { ProcessInfo, TopRow } from '../../view/processes.ts';
import type { TimedReport } from '../../view/recent-reports.ts';
import type { BinLeak, NodeSample, RuntimeInfo } from '../../view/runtime.ts';
import type { MemberRow, TopicRow } from '../../view/topics.ts';
import type { TreeNode } from '../../view/tree.ts';
import { safeLine } from './safe-text.ts';
import { fieldLines, table } from './table.ts';
import { duration, size, whole } from './units.ts';

/** How what the operations find is shown to people. Each takes the plain data and makes aligned, safe lines of it. */

export function treeText(roots: readonly TreeNode[]): string {
  const lines: { readonly left: string; readonly node: TreeNode | null }[] = [];
  const walk = (node: TreeNode, lead: string, branch: string, below: string) => {
    lines.push({ left: `${lead}${branch}${safeLine(node.name)}`, node });
    const last = node.children.length - 1;
    for (const [i, child] of node.children.entries()) {
      const end = i === last && node.more === 0;
      walk(child, lead + below, end ? '└─ ' : '├─ ', end ? '   ' : '│  ');
    }
    if (node.more > 0) lines.push({ left: `${lead}${below}└─ … ${whole(node.more)} more`, node: null });
  };
  for (const root of roots) walk(root, '', '', '');
  return table(
    [
      { title: 'process', value: ({ left }) => left, limit: 100 },
      { title: 'ref', value: ({ node }) => node?.ref ?? '' },
      {
        title: 'below',
        align: 'right',
        value: ({ node }) => (node?.type === 'supervisor' ? whole(node.below) : ''),
      },
      { title: 'mailbox', align: 'right', value: ({ node }) => (node === null ? '' : whole(node.mailbox)) },
      {
        title: 'below it',
        align: 'right',
        value: ({ node }) => (node?.type === 'supervisor' ? whole(node.mailboxBelow) : ''),
      },
      { title: 'handled', align: 'right', value: ({ node }) => (node === null ? '' : whole(node.handled)) },
      { title: 'restarts', align: 'right', value: ({ node }) => (node === null ? '' : whole(node.restarts)) },
      { title: 'up', align: 'right', value: ({ node }) => (node === null ? '' : duration(node.uptime)) },
      { title: '', value: ({ node }) => (node === null || node.status === 'running' ? '' : node.status) },
    ],
    lines,
  );
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
  const text = table<TopicRow>(
    [
      { title: 'topic', value: ({ topic }) => topic },
      { title: 'ref', value: ({ ref }) => ref ?? '-' },
      { title: 'members', align: 'right', value: ({ members }) => whole(members) },
      { title: 'queue', align: 'right', value: ({ queue }) => whole(queue) },
      { title: 'behind', align: 'right', value: ({ behind }) => whole(behind) },
      { title: 'handled', align: 'right', value: ({ handled }) => whole(handled) },
      { title: 'owner', value: ({ owner }) => owner ?? '' },
    ],
    rows,
  );
  return `${text}${outOf(rows.length, total, 'topics')}`;
}

export function membersText({ total, rows, topic }: Page<MemberRow> & { readonly topic: string }): string {
  const text = table<MemberRow>(
    [
      { title: 'ref', value: ({ ref }) => ref },
      { title: 'door', value: ({ door }) => door ?? '-' },
      { title: 'address', value: ({ address }) => address ?? '-' },
      { title: 'format', value: ({ format }) => format },
      { title: 'pending', align: 'right', value: ({ pending }) => size(pending) },
      { title: '', value: ({ behind }) => (behind ? 'behind' : '') },
    ],
    rows,
  );
  return `${text}${outOf(rows.length, total, `members of ${safeLine(topic)}`)}`;
}

export function connectionsText({ total, rows }: Page<ConnectionRow>): string {
  const text = table<ConnectionRow>(
    [
      { title: 'ref', value: ({ ref }) => ref },
      { title: 'door', value: ({ door }) => door },
      { title: 'address', value: ({ address }) => address },
      { title: 'phase', value: ({ phase }) => phase },
      { title: 'topics', align: 'right', value: ({ topics }) => whole(topics) },
      { title: 'pending', align: 'right', value: ({ pending }) => size(pending) },
      { title: 'highest', align: 'right', value: ({ pendingHighWater }) => size(pendingHighWater) },
      { title: 'in', align: 'right', value: (row) => whole(row.in) },
      { title: 'out', align: 'right', value: ({ out }) => whole(out) },
      {
        title: 'round trip',
        align: 'right',
        value: ({ roundTrip }) => (roundTrip === null ? '-' : `${roundTrip}ms`),
      },
      { title: 'age', align: 'right', value: ({ age }) => duration(age) },
    ],
    rows,
  );
  return `${text}${outOf(rows.length, total, 'connections')}`;
}

export function topText(rows: readonly TopRow[]): string {
  return table<TopRow>(
    [
      { title: 'ref', value: ({ ref }) => ref },
      { title: 'process', value: ({ name }) => name },
      { title: 'mailbox', align: 'right', value: ({ mailbox }) => whole(mailbox) },
      { title: 'highest', align: 'right', value: ({ mailboxHighWater }) => whole(mailboxHighWater) },
      { title: 'handled', align: 'right', value: ({ handled }) => whole(handled) },
      { title: 'pending', align: 'right', value: ({ pending }) => size(pending) },
    ],
    rows,
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
  return table<NodeSample>(
    [
      { title: 'at', align: 'right', value: ({ at }) => `${at}s` },
      { title: 'messages', align: 'right', value: ({ messages }) => whole(messages) },
      { title: 'delivered', align: 'right', value: ({ delivered }) => whole(delivered) },
      { title: 'dropped', align: 'right', value: ({ dropped }) => whole(dropped) },
      { title: 'processes', align: 'right', value: ({ processes }) => whole(processes) },
      { title: 'memory', align: 'right', value: ({ rss }) => size(rss) },
      { title: 'heap', align: 'right', value: ({ heapUsed }) => size(heapUsed) },
      { title: 'loop delay', align: 'right', value: ({ loopDelay }) => `${loopDelay}ms` },
      { title: 'busy', align: 'right', value: ({ utilisation }) => `${Math.round(utilisation * 100)}%` },
    ],
    samples,
  );
}

export function binLeakText({ before, after, released, holders }: BinLeak): string {
  const head = `${size(before)} outside the heap, ${size(after)} after a collection: ${size(released)} released`;
  const text = table<BinLeak['holders'][number]>(
    [
      { title: 'ref', value: ({ ref }) => ref },
      { title: 'bytes', align: 'right', value: ({ bytes }) => size(bytes) },
      { title: '', value: ({ what }) => what },
    ],
    holders,
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

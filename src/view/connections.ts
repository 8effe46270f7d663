import { Connection, type Phase } from '../connection/connection.ts';
import type { Pid } from '../otp/process.ts';
import { exit } from '../otp/signal.ts';
import { type Resident, resident, residents, viewOf } from '../otp/sys.ts';
import type { System } from '../otp/system.ts';
import type { Certificate } from './history.ts';
import { type Page, pageOf } from './page-of.ts';
import { numberOf, processOf, topicOf } from './references.ts';
import { type NodeView, Refusal } from './relay-view.ts';

/** A process's connection; undefined: the process serves none. */
export function connectionOf({ state }: Resident): Connection | undefined {
  return state instanceof Connection ? state : undefined;
}

/** Bytes that wait to be written to a client. */
export function pendingOf({ outflow, transport }: Connection): number {
  return outflow.pending(transport.socket.writableLength);
}

/** How a connection is, in one word: a client that is `stalled` does not read, one that is `behind` holds its topics back. */
function conditionOf({ outflow, phase }: Connection): 'stalled' | 'behind' | Phase {
  if (phase === 'closing') return phase;
  return outflow.stalled ? 'stalled' : outflow.behind ? 'behind' : phase;
}

/** Topics of a connection that are listed by name. */
const TOPICS_NAMED = 20;

/** All that is known of a connection while it lives; undefined: the process serves none. */
export function connectionDetails(pid: Pid<never>) {
  const row = connectionRow(pid);
  const connection = connectionOf(resident(pid));
  if (row === undefined || connection === undefined) return undefined;
  const { memberships, subject, authorised, transport } = connection;
  const names = Array.from(memberships, ({ name }) => name);
  return {
    ...row,
    transport: transport.kind,
    subject,
    authorised,
    memberships: namedTopics(names),
    owns: memberships.owned?.name ?? null,
  };
}

function namedTopics(names: readonly string[]): readonly string[] {
  const more = names.length - TOPICS_NAMED;
  return more > 0 ? [...names.slice(0, TOPICS_NAMED), `… ${more} more`] : names;
}

type ConnectionRow = NonNullable<ReturnType<typeof connectionRow>>;

/** The row of a connection's process; undefined: the process serves none. */
export function connectionRow(pid: Pid<never>) {
  const state = connectionOf(resident(pid));
  if (state === undefined) return undefined;
  const { context, address, phase, memberships, intake, outflow, heartbeat } = state;
  return {
    ref: pid.toString(),
    door: context.door.name,
    address,
    phase,
    state: conditionOf(state),
    topics: memberships.size,
    /** Bytes that wait for the client. */
    pending: pendingOf(state),
    pendingHighWater: outflow.highWater,
    in: intake.published,
    out: outflow.messages,
    /** Milliseconds. */
    age: Math.round(viewOf(pid).uptime),
    /** Milliseconds of the last ping and its pong. */
    roundTrip: heartbeat.roundTrip,
    behind: outflow.behind,
  };
}

type ConnectionsBy = 'pending' | 'out' | 'in' | 'age' | 'topics';

/** The `n` connections that have most of something, and how many there are. */
export function connections({ system }: NodeView, by: ConnectionsBy, n: number): Page<ConnectionRow> {
  return pageOf(connectionRows(system), (row) => row[by], { limit: n });
}

function* connectionRows(system: System): Iterable<ConnectionRow> {
  for (const process of residents(system)) {
    const row = connectionRow(process);
    if (row !== undefined) yield row;
  }
}

/** The first `n` members of a topic. */
export function members(node: NodeView, ref: unknown, n: number) {
  const topic = topicOf(node, ref);
  const rows = [];
  for (const { format, members: pids } of topic.members.groups) {
    for (const pid of pids.keys()) {
      if (rows.length >= n) break;
      const connection = connectionRow(pid as Pid<never>);
      rows.push({
        ref: pid.toString(),
        door: connection?.door ?? null,
        address: connection?.address ?? null,
        format: format.name,
        pending: connection?.pending ?? 0,
        behind: topic.fanOut.behind.has(pid),
      });
    }
  }
  return { topic: topic.toString(), total: topic.members.size, rows };
}

/** Longest text of a close frame's reason (RFC 6455, section 5.5: 125 bytes, 2 of them the code). */
const REASON_BYTES = 123;

/** Ends a connection in good order, with 1001 and the operator's words. */
export function disconnect(node: NodeView, ref: unknown, reason: unknown): string {
  const pid = processOf(node, ref);
  if (connectionRow(pid) === undefined) throw new Refusal(`${pid} is no connection`);
  const words = reason === undefined ? 'disconnected by the operator' : String(reason);
  if (Buffer.byteLength(words) > REASON_BYTES)
    throw new Refusal(`a reason has at most ${REASON_BYTES} bytes`);
  exit(pid, { shutdown: words });
  return `${pid} was told to go: ${words}`;
}

/** Why a connection is gone. */
export function why(node: NodeView, ref: unknown): Certificate {
  const number = numberOf(ref);
  if (number === undefined) throw new Refusal('a connection is named by its pid, such as <88>');
  const certificate = node.history.certificateOf(number);
  if (certificate !== undefined) return certificate;
  const pid = node.system.processes.get(number);
  if (pid !== undefined) throw new Refusal(`<${number}> is alive`);
  throw new Refusal(`nothing is known of <${number}>: no connection, never accepted, or closed too long ago`);
}

import type { ChildSpec } from '../otp/child-spec.ts';
import { processName, whereis } from '../otp/registry.ts';
import { countChildren, type SupervisorMessage, supervisor } from '../otp/supervisor.ts';
import type { System } from '../otp/system.ts';

/** Restarts of the root's children before the process ends, for the service manager to start it afresh. */
const ROOT_INTENSITY = { intensity: 3, period: 10_000 };
const INTENSITY = { intensity: 5, period: 5000 };

const ROOT = processName<SupervisorMessage>('root');
/** The supervisors of what reloads start and stop. */
export const AUTHENTICATORS = processName<SupervisorMessage>('authenticators');
export const ACCEPTOR = processName<SupervisorMessage>('acceptor');

/**
 * What the tree is made of; each part of the relay gives the specs of its own. What reloads change is a function: a
 * supervisor that is restarted asks it, and has the children of the configuration that counts now.
 */
export interface Parts {
  /** A supervisor and a router for each partition of the topics. */
  readonly topics: ChildSpec;
  /** Interest, ownership, and the links to other relays. */
  readonly cluster: ChildSpec;
  /** Two for each door: of its clients, and of its API keys. */
  readonly authenticators: () => readonly ChildSpec[];
  /** The handlers of all connections. */
  readonly connections: ChildSpec;
  /** The operators' socket; null: nobody can attach. */
  readonly attach: ChildSpec | null;
  /** Starts when this relay is linked: the doors wait for it. */
  readonly firstLinks: ChildSpec;
  /** One for each door, and for pinghub's plain-text metrics. */
  readonly listeners: () => readonly ChildSpec[];
  /** Health, metrics, the observer page. */
  readonly admin: ChildSpec;
  /** Empties the relay when it stops. */
  readonly drainer: ChildSpec;
  /** Takes a new configuration while the relay runs. */
  readonly reloading: ChildSpec;
}

/**
 * The supervision tree. The children start in this order and stop in the reverse one: nothing is reloaded any more, and
 * the drainer has emptied the relay, before anything else goes.
 */
export function tree(parts: Parts): ChildSpec {
  const children = [
    parts.topics,
    parts.cluster,
    supervisor('authenticators', INTENSITY, parts.authenticators, { name: AUTHENTICATORS }),
    parts.connections,
    ...(parts.attach === null ? [] : [parts.attach]),
    parts.firstLinks,
    supervisor('acceptor', INTENSITY, parts.listeners, { name: ACCEPTOR }),
    parts.admin,
    parts.drainer,
    parts.reloading,
  ];
  return supervisor(ROOT.value, { strategy: 'rest_for_one', ...ROOT_INTENSITY }, children, { name: ROOT });
}

/** Asks the root supervisor, through the same mailboxes as everything else: an answer proves that the tree lives. */
export async function callRoot(system: System, timeout: number): Promise<void> {
  const root = whereis(system, ROOT);
  if (root === undefined) throw new Error('there is no root');
  await countChildren(root, timeout);
}

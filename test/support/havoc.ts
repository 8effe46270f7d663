import fc from 'fast-check';
import type { Behaviour } from '../../src/otp/behaviour.ts';
import { type Process, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { suspend } from '../../src/otp/sys.ts';
import { PROBE_REALM } from '../../src/topic/topic-router.ts';
import type { TopicServerArgs } from '../../src/topic/topic-state.ts';
import { cutServed } from './pair-of-relays.ts';
import { poison } from './promises.ts';
import type { TestRelay } from './relay.ts';

/** What is done to one process of a relay, chosen by chance. */
export interface Blow {
  /** Among the kinds of processes that there are. */
  readonly kind: string;
  /** Which of them, modulo how many there are. */
  readonly which: number;
  readonly way: Way;
}

type Way = (typeof ways)[number] | 'with its supervisor' | 'after its supervisor';

/**
 * kill: at once. asleep: handles nothing for a moment, so that mail waits for it when it is killed; or is killed just
 * before its supervisor, who does not hear of it any more, or just after, when there is none to hear of it. crash: throws on a
 * message. The others: a callback of the behaviour throws, at once or once it has done its work; `init` that of the next
 * one of its kind, when this one has been killed.
 */
const ways = [
  'kill',
  'asleep',
  'crash',
  'settle',
  'settled',
  'terminate',
  'terminated',
  'init',
  'poison',
] as const;

/** Processes that any number of may die: their supervisors start them again within an intensity that is large. */
export const workers = ['connection-handler', 'topic-server'] as const;
export const links = ['outbound-link', 'inbound-link'] as const;
/**
 * Of these a few, or the relay ends as it is to end then. Supervisors of supervisors are none of them: as in OTP, what is
 * below a killed one takes longer to go than the one above it tries.
 */
const others = [
  'topic-router',
  'dynamic-supervisor',
  'interest-server',
  'ownership-server',
  'peer-listener',
  'dialler',
  'listener',
  'authenticator-server',
  'nats-link',
  'nats-echo',
] as const;

export function blows(kinds: readonly string[]): fc.Arbitrary<Blow> {
  return fc.record({ kind: fc.constantFrom(...kinds), which: fc.nat(1000), way: fc.constantFrom(...ways) });
}

/** Blows of which a relay takes a few in a while. */
export const upperBlows: fc.Arbitrary<Blow> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(...others),
    which: fc.nat(1000),
    way: fc.constantFrom<Way>('kill', 'asleep'),
  }),
  fc.record({
    kind: fc.constantFrom(...workers, ...links),
    which: fc.nat(1000),
    way: fc.constantFrom<Way>('with its supervisor', 'after its supervisor'),
  }),
);

/** Strikes; a `connection` is one that the other relay has made to this one. Returns how many messages it has published itself. */
export function strike(relay: TestRelay, { kind, which, way }: Blow): number {
  const { system } = relay.relay;
  if (kind === 'connection') {
    cutServed(relay);
    return 0;
  }
  const all = [...system.processes.values()].filter((one) => one.behaviour.name === kind && one.alive);
  const one = all[which % all.length];
  if (one === undefined) return 0;
  switch (way) {
    case 'kill':
      exit(one, 'kill');
      return 0;
    case 'asleep':
      suspend(one);
      inTwoTurns(() => exit(one, 'kill'));
      return 0;
    case 'with its supervisor':
    case 'after its supervisor':
      suspend(one);
      inTwoTurns(() => {
        const both = one.parent === undefined ? [one] : [one, one.parent];
        for (const each of way === 'with its supervisor' ? both : both.reverse()) exit(each, 'kill');
      });
      return 0;
    case 'crash':
      send(one, null);
      return 0;
    case 'poison':
      return isCounted(one) && send(one, poison(relay)) ? 1 : 0;
    case 'settle':
    case 'settled':
      sabotage(one, 'settle', way === 'settled');
      return 0;
    case 'terminate':
    case 'terminated':
      sabotage(one, 'terminate', way === 'terminated');
      send(one, null);
      return 0;
    case 'init':
      sabotage(one, 'init', false);
      exit(one, 'kill');
      return 0;
  }
}

function inTwoTurns(what: () => void): void {
  setImmediate(() => setImmediate(what));
}

/** The traffic of probes is counted apart. */
function isCounted({ behaviour, state }: Process): boolean {
  return behaviour.name === 'topic-server' && (state as TopicServerArgs).topic.realm !== PROBE_REALM;
}

type Callbacks = {
  -readonly [K in keyof Behaviour<unknown, unknown, unknown>]: Behaviour<unknown, unknown, unknown>[K];
};

/** Has a callback throw once, `after` it has done its work or before: for whoever calls it next. */
function sabotage({ behaviour }: Process, callback: 'init' | 'settle' | 'terminate', after: boolean): void {
  const callbacks = behaviour as Callbacks;
  const original = callbacks[callback] as ((...given: readonly unknown[]) => never) | undefined;
  if (original === undefined || sabotaged.has(original)) return;
  const faulty = (...given: readonly unknown[]): never => {
    repair();
    if (after) original.apply(callbacks, [...given]);
    throw new Error(`sabotaged ${callback}`);
  };
  const repair = () => {
    callbacks[callback] = original;
    repairs.delete(repair);
  };
  callbacks[callback] = faulty;
  sabotaged.add(faulty);
  repairs.add(repair);
}

const sabotaged = new WeakSet<object>();
const repairs = new Set<() => void>();

/** Mends what nobody has stumbled over. */
export function repairAll(): void {
  for (const repair of [...repairs]) repair();
}

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Behaviour, type Exit, keep, type Next, stop } from '../../otp/behaviour.ts';
import { inform, type Self } from '../../otp/process.ts';
import { now, sendAfter, type Timer } from '../../otp/timer.ts';
import { linksChanged } from '../first-links-server.ts';
import { type Address, addressOf } from './inbound-links.ts';
import type { Network } from './network.ts';

/**
 * Turns the list of relays into addresses, again and again, and has a link for each of them. A name may stand for
 * several relays, one for each of its addresses; which of them are this relay itself, or the same one twice, the links
 * find out.
 */
export interface DiallerArgs {
  readonly network: Network;
  /** The list as it is now. */
  readonly relays: () => readonly string[];
  /** Starts a link, and tells later whether it has begun. False: it cannot be started now, and nothing will be told. */
  readonly start: (at: Address, begun: (ok: boolean) => void) => boolean;
}

export type DiallerMessage =
  | Exit
  | { readonly type: 'resolve' | 'reload' }
  /** A relay has dialled this one from that address, and is not linked in the other direction. */
  | { readonly type: 'unlinked'; readonly host: string }
  | { readonly type: 'begun'; readonly address: string; readonly ok: boolean }
  | {
      readonly type: 'resolved';
      readonly round: number;
      readonly entry: Entry;
      readonly hosts: readonly string[] | null;
    };

interface Entry {
  readonly text: string;
  readonly host: string;
  readonly port: number;
}

interface State extends DiallerArgs {
  readonly self: Self<DiallerMessage>;
  entries: Entry[];
  /** What each entry stood for when it could be told last. */
  readonly hosts: Map<string, readonly string[]>;
  /** Addresses whose links are being started, and not among those that dial yet: a list may change faster than that. */
  readonly beginning: Set<string>;
  /** Names that are being looked up. */
  readonly asked: Set<string>;
  /** Hosts from which relays have dialled this one, and until when they are dialled in return, in milliseconds. */
  readonly callers: Map<string, number>;
  round: number;
  timer: Timer | undefined;
}

const DEFAULT_PORT = 55001;
/** How often names are looked up, in milliseconds; sooner while one of them cannot be. */
const PERIOD = 30_000;
const PERIOD_FAILED = 2000;
/** Longer than resolvers keep what they have been told. */
const CALLER_PERIOD = 120_000;

export const dialler: Behaviour<DiallerArgs, State, DiallerMessage> = {
  name: 'dialler',

  init(self, args) {
    inform(self, { type: 'resolve' });
    return {
      ...args,
      self,
      entries: args.relays().map(parseRelay),
      hosts: new Map(),
      beginning: new Set(),
      asked: new Set(),
      callers: new Map(),
      round: 0,
      timer: undefined,
    };
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'resolve':
        resolve(state);
        return keep;
      case 'unlinked':
        unlinked(state, message.host);
        return keep;
      case 'reload':
        state.entries = state.relays().map(parseRelay);
        resolve(state);
        return keep;
      case 'resolved':
        if (message.round === state.round) resolved(state, message.entry, message.hosts);
        return keep;
      case 'begun':
        state.beginning.delete(message.address);
        // Meanwhile it may have left the list.
        if (message.ok) apply(state);
        return keep;
      case 'exit':
        return stop('shutdown');
    }
  },
};

/** `text`: as the configuration has let it through. */
export function parseRelay(text: string): Entry {
  const [, bracketed, named, port] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d+))?$/.exec(text) ?? [];
  return { text, host: bracketed ?? named ?? text, port: port === undefined ? DEFAULT_PORT : Number(port) };
}

function resolve(state: State): void {
  const { self, entries } = state;
  const round = ++state.round;
  const texts = new Set(entries.map(({ text }) => text));
  for (const text of state.hosts.keys()) if (!texts.has(text)) state.hosts.delete(text);
  state.asked.clear();
  for (const entry of entries) {
    if (isIP(entry.host) !== 0) {
      state.hosts.set(entry.text, [entry.host]);
      continue;
    }
    state.asked.add(entry.text);
    lookup(entry.host, { all: true }).then(
      (found) => inform(self, { type: 'resolved', round, entry, hosts: found.map(({ address }) => address) }),
      () => inform(self, { type: 'resolved', round, entry, hosts: null }),
    );
  }
  for (const [host, until] of state.callers) if (until <= now(self)) state.callers.delete(host);
  apply(state);
  again(state, state.callers.size > 0 ? PERIOD_FAILED : PERIOD);
}

/**
 * A relay that has been started anew has another address, perhaps, of which the DNS tells only after a while. Until then it
 * is dialled where it has come from, at the ports of the relays that are known by names. That proves nothing by itself: so it
 * is done only where both ends prove to be of the network.
 */
function unlinked(state: State, host: string): void {
  const { network, self } = state;
  if (!isAnyNamed(state) || !network.isProved) return;
  state.callers.set(host, now(self) + CALLER_PERIOD);
  again(state, 0);
}

function isAnyNamed({ entries }: State): boolean {
  return entries.some(isNamed);
}

function isNamed({ host }: Entry): boolean {
  return isIP(host) === 0;
}

function resolved(state: State, { text, host }: Entry, hosts: readonly string[] | null): void {
  const { network } = state;
  state.asked.delete(text);
  if (hosts !== null) {
    network.news.forget(`name ${host}`);
    state.hosts.set(text, hosts);
    apply(state);
    return;
  }
  // What a name stood for goes on being dialled while nobody can tell.
  if (network.news.is(`name ${host}`, 'unknown')) {
    network.log.warn('unknown relay', { relay: text, why: 'its name cannot be looked up' });
  }
  apply(state);
  again(state, PERIOD_FAILED);
}

function again(state: State, delay: number): void {
  state.timer?.cancel();
  state.timer = sendAfter(state.self, delay, { type: 'resolve' });
}

/** Starts links that are missing, and ends those that are not wanted any more. */
function apply(state: State): void {
  const { network, self, start, beginning } = state;
  const wanted = new Map<string, Address>();
  for (const { text, port } of state.entries)
    for (const host of state.hosts.get(text) ?? []) wanted.set(addressOf({ host, port }), { host, port });
  for (const { port } of state.entries.filter(isNamed))
    for (const host of state.callers.keys()) wanted.set(addressOf({ host, port }), { host, port });
  // A name that was known before is dialled while it is looked up again.
  network.inbound.list(
    wanted,
    state.entries.every(({ text }) => state.hosts.has(text) || !state.asked.has(text)),
  );
  linksChanged(self.system);
  for (const [address, at] of wanted) {
    if (network.inbound.isDialled(address) || beginning.has(address)) continue;
    if (start(at, (ok) => inform(self, { type: 'begun', address, ok }))) beginning.add(address);
  }
}

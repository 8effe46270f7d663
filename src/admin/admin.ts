import { mustMakeWay, whyNotMoved } from '../http/port.ts';
import { type ExportServerMessage, exportBy, exportServer } from '../observer/export-server.ts';
import { Rates } from '../observer/rates.ts';
import { type SamplerMessage, sampler, watchBy } from '../observer/sampler.ts';
import { type ChildSpec, worker } from '../otp/child-spec.ts';
import { addChildren, beginMoves, MovableChild, removeChild } from '../otp/children.ts';
import type { Prepared } from '../otp/prepared.ts';
import { processName } from '../otp/registry.ts';
import { type SupervisorMessage, supervisor } from '../otp/supervisor.ts';
import type { Hidden } from '../secret/hidden.ts';
import type { Audit } from '../view/audit.ts';
import type { RelayView } from '../view/relay-view.ts';
import type { Sampling } from '../view/sampling.ts';
import { type AdminLog, adminListener } from './admin-listener.ts';
import type { AdminRoutes, AdminSettings } from './admin-routes.ts';
import { canaries, Readiness } from './readiness.ts';
import { type WatchdogArgs, watchdog } from './watchdog.ts';
import type { WrongTokens } from './wrong-tokens.ts';

export interface AdminOptions {
  readonly view: RelayView;
  readonly sampling: Sampling;
  readonly metrics: AdminRoutes['metrics'];
  /** Null: nothing listens, and the watchdog alone is at work. */
  readonly at: AdminAt | null;
  readonly watchdog: WatchdogArgs;
  /** Milliseconds; see `limits.write_stall`. */
  readonly writeStall: () => number;
  /** The process that tells other relays how this one is: like those that look, it must not take the relay down. */
  readonly vitals: ChildSpec;
  readonly log: AdminLog;
  readonly audit: Audit;
  readonly wrongTokens: WrongTokens;
}

export interface AdminAt {
  readonly host: string;
  readonly port: number;
  /** Names by which it may be asked. */
  readonly names: readonly string[];
  readonly observer: boolean;
  readonly metrics: boolean;
  readonly health: boolean;
  readonly token: Hidden<Buffer> | null;
  readonly observerActions: boolean;
}

const ADMIN = processName<SupervisorMessage>('admin');
const EXPORTS = processName<ExportServerMessage>('admin.exports');
const SAMPLER = processName<SamplerMessage>('admin.sampler');

/**
 * `admin`: its part of the supervision tree. When it has used up its restarts it stays down, and the relay lives on:
 * tools that look at a relay must not take it down.
 */
export class Admin {
  readonly keys = ['admin'];
  readonly #options: AdminOptions;
  readonly #settings: { -readonly [Key in keyof AdminSettings]: AdminSettings[Key] } = {
    names: [],
    observer: false,
    metrics: false,
    health: false,
    token: null,
    actions: false,
  };
  readonly #routes: AdminRoutes;
  readonly #rates = new Rates();
  readonly #listener: MovableChild<Pick<AdminAt, 'host' | 'port'>>;
  #at: AdminAt | null;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#at = options.at;
    const { view, metrics, audit, wrongTokens } = options;
    this.#routes = {
      view,
      metrics,
      readiness: new Readiness(view),
      feedTo: (response, query) => watchBy(view.system, SAMPLER, response, query),
      exportTo: (response, query, format) => exportBy(view.system, EXPORTS, response, query, format),
      settings: this.#settings,
      audit,
      wrongTokens,
    };
    if (options.at !== null) this.#set(options.at);
    this.#listener = new MovableChild<Pick<AdminAt, 'host' | 'port'>>(
      { id: 'admin.listener', specAt: (at, id) => this.#listenerAt(at, id) },
      options.at === null ? null : { host: options.at.host, port: options.at.port },
    );
  }

  get spec(): ChildSpec {
    const { watchdog: args, vitals } = this.#options;
    const children = () => [
      worker('admin.watchdog', watchdog, args, { name: processName('admin.watchdog') }),
      vitals,
      ...(this.#at === null ? [] : [...this.#lookers, ...this.#listener.specs]),
    ];
    return supervisor('admin', { strategy: 'one_for_one', intensity: 10, period: 10_000 }, children, {
      restart: 'transient',
      name: ADMIN,
    });
  }

  /** Makes another place or other settings ready; pages that are open lose their feed when it moves. */
  async prepare({ admin: next }: { readonly admin: AdminAt | null }): Promise<Prepared> {
    const { system } = this.#options.view;
    const before = this.#at;
    const error = before === null && next !== null ? await addChildren(system, ADMIN, this.#lookers) : null;
    if (error !== null) return { faults: [`admin: ${error}`] };
    const withoutLookers = async () => {
      if (before === null) await this.#removeLookers();
    };
    const place = next === null ? null : { host: next.host, port: next.port };
    const site = { system, supervisor: ADMIN, collide: mustMakeWay };
    const moving = await beginMoves(site, this.#listener.moveTo(place));
    if (!moving.ok) {
      await withoutLookers();
      return { faults: moving.failed.map((each) => `admin: ${whyNotMoved(each)}`) };
    }
    return {
      faults: null,
      commit: async () => {
        if (next !== null) this.#set(next);
        this.#at = next;
        moving.arrive();
        await moving.leave();
        if (next === null) await this.#removeLookers();
      },
      undo: async () => {
        const lost = await moving.back();
        await withoutLookers();
        return lost.map((each) => `admin: ${whyNotMoved(each)}`);
      },
    };
  }

  async #removeLookers(): Promise<void> {
    for (const { id } of this.#lookers) await removeChild(this.#options.view.system, ADMIN, id);
  }

  get #lookers(): ChildSpec[] {
    const { view, sampling } = this.#options;
    const settings = this.#settings;
    const rates = this.#rates;
    return [
      worker('admin.sampler', sampler, { view, sampling, rates, settings }, { name: SAMPLER }),
      worker('admin.exports', exportServer, { view, rates }, { name: EXPORTS }),
      canaries,
    ];
  }

  #listenerAt({ host, port }: Pick<AdminAt, 'host' | 'port'>, id: string): ChildSpec {
    const { writeStall, log } = this.#options;
    const args = { ...this.#routes, host, port, writeStall, log };
    return worker(id, adminListener, args, { name: processName(id) });
  }

  #set({ host, names, observer, metrics, health, token, observerActions }: AdminAt): void {
    Object.assign(this.#settings, {
      names: names.includes(host) ? names : [host, ...names],
      observer,
      metrics,
      health,
      token,
      actions: observerActions,
    } satisfies AdminSettings);
  }
}

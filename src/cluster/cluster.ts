import type { Vitals } from '../measure/vitals.ts';
import { type ChildSpec, worker } from '../otp/child-spec.ts';
import type { Pid } from '../otp/process.ts';
import { processName } from '../otp/registry.ts';
import { type SupervisorMessage, supervisor } from '../otp/supervisor.ts';
import type { System } from '../otp/system.ts';
import type { Elsewhere } from '../topic/elsewhere.ts';
import type { Uplink } from '../topic/fan-out.ts';
import type { RemoteOwnership } from '../topic/lifetime.ts';
import type { Publish, Sequencer } from '../topic/message.ts';
import type { Claim, Topic } from '../topic/topic.ts';
import type { Backplane, LocalTopics, Ordering } from './backplane.ts';
import { Claims } from './claims.ts';
import * as interest from './interest-server.ts';
import * as ownership from './ownership-server.ts';
import { RelayTable } from './relay-table.ts';
import { vitalsName, vitalsServer } from './vitals-server.ts';

/** Restarts of the parts of the cluster, whose links then begin anew, before the relay itself does. */
const INTENSITY = { intensity: 5, period: 10_000 };

/** The other relays, as topics see them, and their part of the supervision tree. */
export class Cluster implements Elsewhere {
  readonly supervisor = processName<SupervisorMessage>('cluster');
  readonly node: string;
  readonly uplink: Uplink | null;
  /** What the other relays tell of themselves. */
  readonly relays = new RelayTable();
  readonly #system: System;
  readonly #claims: Claims;
  readonly #isOrdered: (name: string) => boolean;
  #ordering: Ordering | null = null;
  alone = false;

  /**
   * `isOrdered`: which topics have one order for all relays. `uplink`: of a backplane that takes everything; null for
   * one whose links join topics.
   */
  constructor(
    system: System,
    node: string,
    isOrdered: (name: string) => boolean,
    uplink: Uplink | null = null,
  ) {
    this.uplink = uplink;
    this.#system = system;
    this.node = node;
    this.#claims = new Claims(node);
    this.#isOrdered = isOrdered;
  }

  /** Who makes that order. */
  orderedBy(ordering: Ordering): void {
    this.#ordering = ordering;
  }

  /** There is no other relay from here on: no link is left. */
  unlink(): void {
    if (this.alone) return;
    this.alone = true;
    interest.alone(this.#system);
    ownership.alone(this.#system);
    this.relays.clear();
  }

  /** There may be links from here on. Before there is one, what is here is gathered for it. */
  link(): void {
    if (!this.alone) return;
    this.alone = false;
    interest.linking(this.#system);
    ownership.linking(this.#system);
  }

  /** `cluster`: what stands in front of the backplane, and then the backplane. */
  spec(backplane: Backplane, topics: LocalTopics): ChildSpec {
    const lazily = () => topics;
    const alone = () => this.alone;
    const owners = { topics: lazily, alone, claims: this.#claims, wallClock: Date.now };
    return supervisor(
      'cluster',
      { strategy: 'rest_for_one', ...INTENSITY },
      () => [
        worker(
          'interest',
          interest.interestServer,
          { topics: lazily, alone },
          { name: interest.interestName },
        ),
        worker('ownership', ownership.ownershipServer, owners, { name: ownership.ownershipName }),
        ...backplane.specs,
      ],
      { name: this.supervisor },
    );
  }

  /** The process that tells this relay's numbers, and hears the others'. `own`: this relay's now. */
  vitalsSpec(backplane: Backplane, own: () => Vitals): ChildSpec {
    const args = { table: this.relays, own, backplane, alone: () => this.alone };
    return worker('admin.vitals', vitalsServer, args, { name: vitalsName });
  }

  wanted(topic: Topic, round: number): void {
    interest.wanted(this.#system, topic, round);
  }

  unwanted(topic: Topic): void {
    if (!this.alone) interest.unwanted(this.#system, topic);
  }

  ownership(realm: string, name: string): RemoteOwnership {
    return this.#claims.ownership({ realm, name }, this.#system.clock.now());
  }

  /** The other relay at which a topic has its owner, or had it until its grace began; null: there is none. */
  ownerOf(topic: Topic): string | null {
    return this.#claims.ownerOf(topic, this.#system.clock.now());
  }

  claim(topic: Topic, claim: Claim): void {
    ownership.claim(this.#system, topic, claim);
  }

  released(topic: Topic): void {
    if (!this.alone) ownership.released(this.#system, topic);
  }

  isOrdered(name: string): boolean {
    return this.#ordering !== null && this.#isOrdered(name);
  }

  sequencer(topic: Topic): Sequencer | null {
    return this.#ordering?.sequencer(topic) ?? null;
  }

  forward(topic: Topic, publish: Publish): boolean {
    return this.#ordering?.forward(topic, publish) ?? false;
  }

  home(topic: Topic): string | null {
    return this.#ordering?.home(topic) ?? null;
  }

  hasLed(since: number): boolean {
    return this.#ordering?.hasLed(since) ?? true;
  }

  leftOver(topic: Topic): readonly Publish[] {
    return this.#ordering?.leftOver(topic) ?? [];
  }

  isLinkTo(member: Pid<never>, relay: string): boolean {
    return this.#ordering?.isLinkTo(member, relay) ?? false;
  }

  isLinked(relay: string): boolean {
    return this.#ordering?.isLinked(relay) ?? false;
  }

  recall(topic: Topic, since: string, relay: string | null): readonly string[] {
    return this.#ordering?.recall(topic, since, relay) ?? [];
  }

  mayFollow(topic: Topic, last: Sequencer, next: Sequencer): boolean {
    return this.#ordering?.mayFollow(topic, last, next) ?? true;
  }
}

import type { ApiKeysConfig } from '../config/api-keys.ts';
import type { Config, DoorConfig, Limits } from '../config/config.ts';
import type { Door } from '../door/contract.ts';
import type { Greeting } from '../door/fanfare/codec.ts';
import { fanfareDialect } from '../door/fanfare/dialect.ts';
import { fanfareFormat } from '../door/fanfare/format.ts';
import { pinghubDoor } from '../door/pinghub/door.ts';
import { eventStreamFormat } from '../door/pinghub/event-stream.ts';
import { pinghubFormat } from '../door/pinghub/format.ts';
import { pusuDoor } from '../door/pusu/door.ts';
import { pusuFormat } from '../door/pusu/format.ts';
import { wspubsubDoor } from '../door/wspubsub/door.ts';
import { wspubsubFormat } from '../door/wspubsub/format.ts';
import type { Format } from '../topic/message.ts';

/** One door that is on: its protocol, and all that the configuration says of it. */
export interface DoorSettings extends DoorConfig {
  readonly door: Door;
  readonly formats: readonly Format[];
  readonly at: { readonly host: string; readonly port: number } | { readonly socket: string };
  readonly apiKeys: ApiKeysConfig;
  readonly heartbeat: { readonly ping: number; readonly pong: number };
  readonly grace: number;
  /** Subscribers are let in without a credential, whatever the authenticator. */
  readonly openToSubscribers: boolean;
  /** Where the door's plain-text metrics are; null: nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
}

/** What holds where the configuration says nothing; pinghub's own clients know its times. */
const HEARTBEAT = { ping: 25_000, pong: 10_000 };
const PINGHUB_HEARTBEAT = { ping: 27_000, pong: 3000 };
const LOOPBACK = '127.0.0.1';

/** Of the doors that ask for none. */
const noApiKeys: ApiKeysConfig = { store: 'list', keys: [] };

/** The doors that are on, in the order in which they open. */
export function doorSettings({ doors, limits, node }: Config): DoorSettings[] {
  const { pusu, wspubsub, pinghub } = doors;
  const { topicLength } = limits;
  const heartbeat = heartbeatOf(limits, HEARTBEAT);
  const common = { apiKeys: noApiKeys, heartbeat, grace: 0, metrics: null, openToSubscribers: false };
  const settings: DoorSettings[] = [];
  if (pusu !== null) {
    settings.push({
      ...common,
      ...pusu,
      door: pusuDoor({ topicLength, dialect: fanfareDialect(greetingOf(node, limits, heartbeat)) }),
      formats: [pusuFormat, fanfareFormat],
      at: at(pusu),
    });
  }
  if (wspubsub !== null) {
    const realmIsShared = [pusu, pinghub].some((other) => other?.realm === wspubsub.realm);
    const subscribersNeedRight = realmIsShared || wspubsub.authenticator !== null;
    const door = wspubsubDoor({ topicLength, subscribersNeedRight });
    settings.push({
      ...common,
      ...wspubsub,
      door,
      formats: [wspubsubFormat],
      at: at(wspubsub),
      openToSubscribers: !subscribersNeedRight,
    });
  }
  if (pinghub !== null) {
    const { socket, metricsPort } = pinghub;
    settings.push({
      ...common,
      ...pinghub,
      door: pinghubDoor({ topicLength }),
      formats: [pinghubFormat, eventStreamFormat],
      at: socket === null ? at(pinghub) : { socket },
      heartbeat: heartbeatOf(limits, PINGHUB_HEARTBEAT),
      metrics:
        metricsPort === null ? null : { host: socket === null ? pinghub.host : LOOPBACK, port: metricsPort },
    });
  }
  return settings;
}

function greetingOf(
  relay: string,
  { message, topicLength, topicsPerConnection }: Limits,
  { ping }: DoorSettings['heartbeat'],
): Greeting {
  return { relay, ping: ping / 1000, limits: { message, topicLength, topics: topicsPerConnection } };
}

function heartbeatOf({ ping, pong }: Limits, usual: DoorSettings['heartbeat']): DoorSettings['heartbeat'] {
  return { ping: ping ?? usual.ping, pong: pong ?? usual.pong };
}

function at({ host, port }: { readonly host: string; readonly port: number }): {
  host: string;
  port: number;
} {
  return { host, port };
}

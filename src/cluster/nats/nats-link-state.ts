import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import type { Exit } from '../../otp/behaviour.ts';
import type { Self } from '../../otp/process.ts';
import type { Timer } from '../../otp/timer.ts';
import type { MemberMessage } from '../../topic/topic.ts';
import type { LinkMessage } from '../backplane.ts';
import type { TopicKey } from '../topic-key.ts';
import type { AskedEnough } from './conversation.ts';
import type { Intake } from './intake.ts';
import type { Linked } from './linked.ts';
import type { NatsNetwork } from './network.ts';
import type { Published } from './outlet.ts';
import type { Subjects } from './subject.ts';

/** What the link starts with. */
export interface NatsLinkArgs {
  readonly network: NatsNetwork;
  /** As `host:port`. */
  readonly servers: readonly string[];
}

export type NatsLinkMessage =
  | LinkMessage
  | MemberMessage
  | AskedEnough
  | Exit
  | Published
  | { readonly type: 'opened'; readonly attempt: number; readonly connection: NatsConnection }
  | { readonly type: 'failed'; readonly attempt: number; readonly why: string }
  | { readonly type: 'closed'; readonly connection: NatsConnection; readonly why: string }
  | { readonly type: 'trouble'; readonly connection: NatsConnection; readonly why: string }
  | {
      readonly type: 'arrived';
      readonly connection: NatsConnection;
      readonly topic: TopicKey | null;
      readonly message: Msg;
    }
  /** The server has taken all that was handed over before it was asked. */
  | { readonly type: 'answered'; readonly connection: NatsConnection }
  | { readonly type: 'subscribed'; readonly connection: NatsConnection; readonly version: number }
  | { readonly type: 'reload'; readonly servers: readonly string[] }
  | { readonly type: 'dial' | 'tick' | 'end' };

export interface State extends Intake {
  readonly self: Self<NatsLinkMessage>;
  readonly subjects: Subjects;
  readonly headers: MsgHdrs;
  servers: readonly string[];
  linked: Linked | undefined;
  /** Tells one attempt to connect from the next. */
  attempt: number;
  dialling: boolean;
  ending: boolean;
  retry: number;
  timer: Timer | undefined;
  /** What was said of a failure, which is not said again until there was another. */
  said: string;
}

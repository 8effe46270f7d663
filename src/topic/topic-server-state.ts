import type { Self } from '../otp/process.ts';
import type { Accounting } from './accounting.ts';
import type { Elsewhere } from './elsewhere.ts';
import type { Topic, TopicMessage } from './topic.ts';

export interface TopicServerArgs {
  readonly topic: Topic;
  readonly accounting: Accounting;
  /** The other relays; null: there are none. */
  readonly elsewhere: Elsewhere | null;
  /** Asks the router whether the topic may go. It answers with `retire`, or not at all when a join is under way. */
  readonly idle: (topic: Topic) => void;
}

/** What a topic server keeps beside its topic: the topic outlives a crash of the server, this does not. */
export interface TopicServerState extends TopicServerArgs {
  readonly self: Self<TopicMessage>;
  /** The router has been asked, and nothing has come since. */
  asked: boolean;
  /** It was published to since `lingering` began: there is a timer for its end. */
  used: boolean;
  lingering: boolean;
}

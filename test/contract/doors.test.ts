import test from 'ava';
import { fanfareDialect } from '../../src/door/fanfare/dialect.ts';
import { pinghubDoor } from '../../src/door/pinghub/door.ts';
import { pusuDoor } from '../../src/door/pusu/door.ts';
import { wspubsubDoor } from '../../src/door/wspubsub/door.ts';
import { doorContract, formatContract, type Opening } from './door-contract.ts';

const offering = (offer: string) => ({ upgrade: true, headers: { 'sec-websocket-protocol': offer } });

const pusu: readonly Opening[] = [
  { name: 'client', request: { upgrade: true } },
  { name: 'client with a credential', request: offering('bearer, s') },
  { name: 'client that speaks fanfare.1', request: offering('pusu, fanfare.1') },
  { name: 'client that speaks fanfare.1, with a credential', request: offering('fanfare.1, bearer, s') },
];

const dialect = fanfareDialect({
  relay: 'r',
  ping: 25,
  limits: { message: 65536, topicLength: 256, topics: 128 },
});

const wspubsub: readonly Opening[] = [
  { name: 'owner', request: { target: '/ws/pub/key/d/t', upgrade: true } },
  { name: 'subscriber', request: { target: '/ws/sub/d/t', upgrade: true } },
];

const wspubsubInSharedRealm: readonly Opening[] = [
  { name: 'subscriber in a shared realm', request: { target: '/ws/sub/d/t', upgrade: true } },
  {
    name: 'subscriber in a shared realm with a credential',
    request: { target: '/ws/sub/d/t?access_token=s', upgrade: true },
  },
];

const headers = { accept: 'text/event-stream' };
const pinghub: readonly Opening[] = [
  { name: 'WebSocket', request: { target: '/d/t', upgrade: true } },
  { name: 'WebSocket with a credential', request: { target: '/d/t?access_token=s', upgrade: true } },
  { name: 'event stream', request: { target: '/d/t', headers } },
  { name: 'event stream that comes back', request: { target: '/d/t?last_event_id=1abcdef:7', headers } },
  {
    name: 'WebSocket of events',
    request: { target: '/d/t', upgrade: true, headers: { 'sec-websocket-protocol': 'pinghub.events' } },
  },
  { name: 'POST', request: { target: '/d/t', method: 'POST' } },
  { name: 'POST with a credential', request: { target: '/d/t?access_token=s', method: 'POST' } },
];

const ownRealm = wspubsubDoor({ topicLength: 256, subscribersNeedRight: false });
const sharedRealm = {
  ...wspubsubDoor({ topicLength: 256, subscribersNeedRight: true }),
  name: 'wspubsub (shared realm)',
};

for (const [door, openings] of [
  [pusuDoor({ topicLength: 256, dialect }), pusu],
  [ownRealm, wspubsub],
  [sharedRealm, wspubsubInSharedRealm],
  [pinghubDoor({ topicLength: 256 }), pinghub],
] as const) {
  doorContract(test, door, openings);
  formatContract(test, door, openings);
}

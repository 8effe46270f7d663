import test from 'ava';
import { offer, VERSIONS } from '../../src/door/peer/session.ts';
import { pinghubDoor } from '../../src/door/pinghub/door.ts';
import { pusuDoor } from '../../src/door/pusu/door.ts';
import { bearerToken, chosenProtocol, shownProtocols } from '../../src/door/subprotocol.ts';
import { wspubsubDoor } from '../../src/door/wspubsub/door.ts';

const spoken = ['pusu', 'http-only'];

test('who offers none of the subprotocols gets none, and the first offered that is spoken is chosen', (t) => {
  t.is(chosenProtocol('pusu', spoken), 'pusu');
  t.is(chosenProtocol('http-only', spoken), 'http-only');
  t.is(chosenProtocol('mqtt, http-only,pusu', spoken), 'http-only');
  for (const header of ['mqtt', 'PUSU', 'bearer', 'mqtt, bearer', 'eyJhbGciOi.x.y'])
    t.is(chosenProtocol(header, spoken), null, header);
});

test('bearer goes with a token, which is never chosen, and gives way to a subprotocol', (t) => {
  t.is(chosenProtocol('bearer, pusu', spoken), 'bearer', 'the token is pusu');
  t.is(chosenProtocol('bearer, a.b.c', spoken), 'bearer');
  t.is(chosenProtocol('bearer,a.b.c, pusu', spoken), 'pusu');
  t.is(chosenProtocol('pusu, bearer, http-only', spoken), 'pusu');
  t.is(chosenProtocol('mqtt, bearer, a.b.c', spoken), null, 'mqtt is what the client speaks');
});

test('the token is what follows bearer, decoded once', (t) => {
  t.is(bearerToken('bearer, a.b.c'), 'a.b.c');
  t.is(bearerToken('pusu,bearer,a%20b%2525'), 'a b%25');
  for (const header of [undefined, '', 'bearer', 'pusu, bearer', 'a.b.c', 'bearer, %zz'])
    t.is(bearerToken(header), null, header);
});

test('of what was offered only names are shown that everybody knows', (t) => {
  t.is(shownProtocols('mqtt'), 'mqtt');
  t.is(
    shownProtocols('graphql-ws, hunter2,pusu, bearer, pusu'),
    'graphql-ws, [hidden], pusu, bearer, [hidden]',
  );
  t.is(shownProtocols('PuSu'), 'PuSu', 'a slip of the hand');
  t.is(shownProtocols(Array(30).fill('mqtt').join(', ')).split(', ').length, 8);
});

test('what some door of a relay speaks is known, at whichever door it is offered, and a relay’s own offer too', (t) => {
  const doors = [
    pusuDoor({ topicLength: 0 }),
    wspubsubDoor({ topicLength: 0, subscribersNeedRight: false }),
    pinghubDoor({ topicLength: 0 }),
  ];
  const ours = [...doors.flatMap(({ protocols }) => protocols), ...offer(VERSIONS)].join(', ');
  t.regex(ours, /^pusu, http-only, wspubsub, pinghub, pinghub\.events, fanfare\.peer\.1/);
  t.is(shownProtocols(ours), ours);
});

import test from 'ava';
import { fanfareDialect } from '../../../src/door/fanfare/dialect.ts';
import { fanfareFormat } from '../../../src/door/fanfare/format.ts';
import { pusuDoor } from '../../../src/door/pusu/door.ts';
import { pusuFormat } from '../../../src/door/pusu/format.ts';
import { chosenProtocol } from '../../../src/door/subprotocol.ts';
import { doorRequest } from '../door-request.ts';
import { play } from '../script.ts';

const greeting = { relay: 'r', ping: 25, limits: { message: 1, topicLength: 256, topics: 0 } };
const door = pusuDoor({ topicLength: 256, dialect: fanfareDialect(greeting) });

function opened(offer: string | null) {
  const headers = offer === null ? {} : { 'sec-websocket-protocol': offer };
  const route = door.route(doorRequest({ upgrade: true, headers }));
  if (route.type !== 'open' || route.transport !== 'websocket') throw new Error('not opened');
  return route;
}

for (const offer of [
  'fanfare.1',
  'fanfare.1, pusu',
  'pusu, fanfare.1',
  'http-only,pusu , fanfare.1',
  'mqtt, fanfare.1',
  'bearer, x, fanfare.1',
  'pusu, bearer, x, fanfare.1',
  'fanfare.1, bearer, x',
]) {
  test(`offered as "${offer}", fanfare.1 is spoken`, (t) => {
    t.is(chosenProtocol(offer, door.protocols), 'fanfare.1');
    const { format, session, ping } = opened(offer);
    t.is(format, fanfareFormat);
    t.is(ping?.subarray(2).toString(), '{"type":"ping"}');
    const [first = []] = play(session);
    if (offer.includes('bearer')) t.deepEqual(first, ['authorise x']);
    else t.regex(first[1] ?? '', /"protocol":"fanfare\.1"/);
  });
}

for (const offer of [
  null,
  'pusu',
  'http-only',
  'http-only, pusu',
  'bearer, x',
  'bearer, fanfare.1',
  'FANFARE.1, pusu',
]) {
  test(`offered ${offer ?? 'nothing'}, the door speaks PuSu as ever`, (t) => {
    if (offer !== null)
      t.is(
        chosenProtocol(offer, door.protocols),
        offer.includes('bearer')
          ? 'bearer'
          : offer.includes('FANFARE')
            ? 'pusu'
            : (offer.split(',')[0] ?? ''),
      );
    const { format, ping } = opened(offer);
    t.is(format, pusuFormat);
    t.is(ping, undefined);
  });
}

test('a door without it speaks none of it', (t) => {
  const { protocols } = pusuDoor({ topicLength: 256 });
  t.is(chosenProtocol('fanfare.1, pusu', protocols), 'pusu');
  t.is(chosenProtocol('fanfare.1', protocols), null);
});

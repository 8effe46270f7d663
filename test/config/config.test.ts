import test from 'ava';
import { keyPaths, relayKeys } from '../../src/config/keys.ts';
import { accepted } from './support.ts';

/** What authenticators and stores of keys are made of is not beside them any more. */
const WORKED_IN =
  /^(passwords|allow_read_by_default|jwt_signing_algorithms|jwt_verification_key|jwt|forward|apikeys)$/;

test('every key of a door in the table is in the configuration of that door, and no other', (t) => {
  const { doors } = accepted('doors: { pusu: {}, wspubsub: {}, pinghub: {} }');
  const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  for (const [name, door] of Object.entries(doors)) {
    const written = [...keyPaths(relayKeys)].filter(
      (path) => path.length === 3 && path[0] === 'doors' && path[1] === name,
    );
    const keys = written.map(([, , key = '']) => key).filter((key) => !WORKED_IN.test(key));
    const made = name === 'wspubsub' ? ['apiKeys'] : [];
    t.deepEqual(Object.keys(door ?? {}).sort(), [...keys.map(camelCase), ...made].sort());
  }
});

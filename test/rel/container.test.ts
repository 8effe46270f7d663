import { join } from 'node:path';
import test from 'ava';
import { loadConfig } from '../../src/config/load-config.ts';
import { packageRoot } from '../support/relay-process.ts';

test('the settings of the image open each door and the admin port where published ports reach them', (t) => {
  const loaded = loadConfig({
    file: join(packageRoot, 'rel', 'container.yaml'),
    sets: [],
    env: {},
    packageRoot,
  });
  if (!loaded.ok) return t.fail(JSON.stringify(loaded.errors));
  const { doors, admin } = loaded.config;
  t.deepEqual(
    [doors.pusu?.host, doors.wspubsub?.host, doors.pinghub?.host, admin?.host],
    Array.from({ length: 4 }, () => '0.0.0.0'),
  );
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { loadConfig } from '../../src/config/load-config.ts';
import { packageRoot, temporaryFolder } from '../support/relay-process.ts';

const unit = readFileSync(join(packageRoot, 'rel', 'systemd', 'fanfare.service'), 'utf8');

test('the file that the unit is installed with says where the node is, so that every command finds it', (t) => {
  const etc = temporaryFolder(t);
  const state = temporaryFolder(t);
  mkdirSync(etc, { recursive: true });
  const steps = [...unit.matchAll(/^# {3}((?:install|sed) .*relay\.yaml)$/gm)].map(([, step = '']) =>
    step
      .replaceAll('/opt/fanfare/current', packageRoot)
      .replaceAll('/etc/fanfare', etc)
      .replaceAll('/var/lib/fanfare', state)
      // Its user is not on this machine.
      .replace('-g fanfare', ''),
  );
  t.is(steps.length, 2);
  for (const step of steps) execFileSync('sh', ['-ec', step]);
  const file = join(etc, 'relay.yaml');
  const loaded = loadConfig({ file, sets: [], env: {}, packageRoot });
  if (!loaded.ok) return t.fail(JSON.stringify(loaded.errors));
  t.is(loaded.config.varDir, state);
  for (const [, command = ''] of unit.matchAll(/^(?:ExecStart|ExecReload)=(.*)$/gm))
    t.true(command.endsWith('--config /etc/fanfare/relay.yaml'));
  t.notRegex(unit, /^Environment=FANFARE_/m, 'what a command would have to know as well');
});

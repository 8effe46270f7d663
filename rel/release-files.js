// Which files of the sources a release has beside the program and its dependencies. Each is named here, and nothing else
// that lies in their folders is taken: a relay leaves its socket and pid there, and its user keys and settings of his own.
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const FILES = [
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'config/relay.yaml',
  'config/node.args',
  'config/examples/relay-1.yaml',
  'config/examples/relay-2.yaml',
  'config/examples/relay-3.yaml',
  'doc/api-keys.md',
  'doc/architecture-cluster.md',
  'doc/architecture.md',
  'doc/authentication.md',
  'doc/chat.png',
  'doc/cluster.md',
  'doc/commands.md',
  'doc/deployment.md',
  'doc/edge.md',
  'doc/nats.md',
  'doc/observability.md',
  'doc/observer.png',
  'doc/operations.md',
  'doc/peer-protocol.md',
  'doc/recovery.md',
  'doc/where-to-add.md',
  'doc/fanfare.1.md',
  // The protocols, where the README says that they are.
  'src/door/fanfare/README.md',
  'src/door/pinghub/README.md',
  'src/door/pusu/README.md',
  'src/door/wspubsub/README.md',
  'client/LICENSE',
  'client/README.md',
  'client/package.json',
  'rel/container.yaml',
  'rel/grafana/fanfare.json',
  'rel/prometheus/alerts.yml',
  'rel/compose/compose.yaml',
  'rel/compose/haproxy.cfg',
  'rel/haproxy/haproxy.cfg',
  'rel/kubernetes/fanfare.yaml',
  'rel/logrotate/fanfare',
  'rel/nginx/auth.conf',
  'rel/nginx/hash.conf',
  'rel/plugins/example.js',
  'rel/sql/apikeys.sql',
  'rel/sysctl/60-fanfare.conf',
  'rel/systemd/fanfare.service',
];

/** Copies them from the sources in `root` to the release in `folder`. */
export function copyFiles(root, folder) {
  for (const file of FILES) copy(join(root, file), join(folder, file));
  for (const program of ['fanfare', 'fanfare-health']) {
    copy(join(root, 'rel', 'bin', program), join(folder, 'bin', program));
    chmodSync(join(folder, 'bin', program), 0o755);
  }
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parse, parseAllDocuments } from 'yaml';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { configFile, packageRoot } from '../support/relay-process.ts';

const textOf = (...path: readonly string[]) => readFileSync(join(packageRoot, 'rel', ...path), 'utf8');

/** Without the secret, whose file is in the container alone. */
function settingsOf(file: string, env: Readonly<Record<string, string>>): Config {
  const { FANFARE_NETWORK_SECRET_FILE: secret, ...rest } = env;
  if (secret === undefined) throw new Error('relays have no secret');
  const given = { ...rest, FANFARE_NETWORK_SECRET: '0123456789abcdef' };
  const loaded = loadConfig({ file, sets: [], env: given, packageRoot });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  if (loaded.warnings.length > 0) throw new Error(JSON.stringify(loaded.warnings));
  return loaded.config;
}

const seconds = (text: string) => Number(/^(\d+)s$/.exec(text)?.[1]);

test('the relays of the Compose recipe have settings that fit, and the time to drain', (t) => {
  interface Service {
    readonly environment?: Record<string, string>;
    readonly stop_grace_period?: string;
    readonly depends_on?: Record<string, unknown>;
  }
  const { services } = parse(textOf('compose', 'compose.yaml'), { merge: true }) as {
    readonly services: Record<string, Service>;
  };
  const relays = Object.entries(services).filter(([name]) => name !== 'haproxy');
  t.is(relays.length, 3);
  for (const [name, { environment = {}, stop_grace_period: grace = '' }] of relays) {
    const config = settingsOf(join(packageRoot, 'rel', 'container.yaml'), environment);
    t.is(config.node, name);
    t.deepEqual(
      config.relays,
      relays.map(([other]) => other),
    );
    t.true(seconds(grace) * 1000 > config.limits.drainDelay + config.limits.drain + 20_000);
    t.regex(textOf('compose', 'haproxy.cfg'), new RegExp(`server ${name} ${name}:55000`));
  }
  t.deepEqual(
    Object.keys(services['haproxy']?.depends_on ?? {}),
    relays.map(([name]) => name),
  );
});

test('the relays of the Kubernetes manifest have settings that fit, probes at paths that are there, and the time to drain', (t) => {
  const documents = parseAllDocuments(textOf('kubernetes', 'fanfare.yaml')).map(
    (document) => document.toJS() as Record<string, never>,
  );
  const of = (kind: string) => documents.filter((document) => document['kind'] === kind) as never[];
  const [map] = of('ConfigMap') as { readonly data: { readonly 'relay.yaml': string } }[];
  const [set] = of('StatefulSet') as {
    readonly spec: {
      readonly replicas: number;
      readonly serviceName: string;
      readonly template: { readonly metadata: { readonly labels: object }; readonly spec: Pod };
    };
  }[];
  interface Probe {
    readonly httpGet: { readonly path: string; readonly port: string };
    readonly periodSeconds: number;
    readonly failureThreshold: number;
  }
  interface Pod {
    readonly terminationGracePeriodSeconds: number;
    readonly containers: readonly {
      readonly env: readonly { readonly name: string; readonly value?: string }[];
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
      readonly startupProbe: Probe;
      readonly readinessProbe: Probe;
      readonly livenessProbe: Probe;
    }[];
  }
  if (map === undefined || set === undefined) return t.fail('something is missing');
  const pod = set.spec.template.spec;
  const [container] = pod.containers;
  if (container === undefined) return t.fail('no container');
  const env = Object.fromEntries(container.env.map(({ name, value = 'fanfare-0' }) => [name, value]));
  const config = settingsOf(configFile(t, map.data['relay.yaml']), env);
  t.deepEqual(
    config.relays,
    Array.from({ length: set.spec.replicas }, (_, index) => `fanfare-${index}.${set.spec.serviceName}`),
  );
  t.true(pod.terminationGracePeriodSeconds * 1000 > config.limits.drainDelay + config.limits.drain + 20_000);
  const { readinessProbe: ready, livenessProbe: live, startupProbe: startup } = container;
  t.true(ready.periodSeconds * ready.failureThreshold * 1000 < config.limits.drainDelay);
  t.true(startup.periodSeconds * startup.failureThreshold > 30);
  t.deepEqual(
    [ready, live, startup].map(({ httpGet }) => httpGet.path),
    ['/health/ready', '/health/live', '/health/live'],
  );
  const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort]));
  t.deepEqual(ports, {
    pusu: config.doors.pusu?.port,
    network: config.network.port,
    admin: config.admin?.port,
    pinghub: config.doors.pinghub?.port,
  });
  for (const service of of('Service') as { readonly spec: { readonly selector: object } }[])
    t.deepEqual(service.spec.selector, set.spec.template.metadata.labels);
  const [network] = of('Service') as {
    readonly metadata: { readonly name: string };
    readonly spec: object;
  }[];
  t.is(network?.metadata.name, set.spec.serviceName);
  t.like(network?.spec, { publishNotReadyAddresses: true, clusterIP: 'None' });
});

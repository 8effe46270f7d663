import type { Place, Report } from './config-error.ts';
import { keyPaths, relayKeys } from './keys.ts';
import { knownPart, type Layer, layerOf } from './layers.ts';
import { nearest } from './nearest.ts';
import { readYaml } from './yaml-text.ts';

const prefix = 'FANFARE_';

/** The variable that sets the key at `path`. */
export function variableOf(path: readonly string[]): string {
  return prefix + path.join('_').toUpperCase();
}

// Keys contain underscores themselves, so a variable is looked up, never taken apart. `network_port` and `network.port`
// share a variable, and one meaning.
const paths = new Map([...keyPaths(relayKeys)].map((path) => [variableOf(path), path]));

/**
 * The layers of the environment. An empty variable counts as not set, as deployments pass on what they do not have. A
 * variable of a section counts above those of its keys.
 */
export function environmentLayers(env: NodeJS.ProcessEnv, report: Report): Layer[] {
  const set = Object.entries(env).filter(
    ([name]) => name.startsWith(prefix) && !isForeign(name, env[name] ?? ''),
  );
  const layers: [depth: number, layer: Layer][] = [];
  for (const [name, text = ''] of set) {
    const at: Place = { file: name, line: 1, column: 1 };
    const path = paths.get(name);
    if (!path) {
      unknownVariable(name, report);
    } else if (text !== '') {
      let broken = false;
      const value = readYaml(text, at, (place, _, expected) => {
        broken = true;
        report(place, path.join('.'), expected);
      });
      const places = path.map(() => at);
      if (value && !broken) layers.push([path.length, layerOf(path, places, value)]);
    }
  }
  return layers.sort(([a], [b]) => b - a).map(([, layer]) => layer);
}

/**
 * Kubernetes and Docker describe a service called `fanfare` or `fanfare-…` to every process beside it, in variables
 * such as `FANFARE_SERVICE_HOST`, `FANFARE_PORT=tcp://10.0.0.7:55000` and `FANFARE_PORT_55000_TCP_ADDR`.
 */
function isForeign(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT(_\w+)?)$/.test(name) ||
    /_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))
  );
}

function unknownVariable(name: string, report: Report): void {
  // What follows a key that is set as a whole may be a password.
  const whole = [...paths].find(
    ([variable, path]) => name.startsWith(`${variable}_`) && !knownPart(path).reader.keys && !paths.has(name),
  );
  if (whole) {
    const [variable, path] = whole;
    report(
      { file: `${variable}_*`, line: 1, column: 1 },
      path.join('.'),
      `a value set as a whole, in ${variable}`,
    );
    return;
  }
  const near = nearest(name, paths.keys());
  const hint =
    near === undefined ? 'FANFARE_ and the path of a key, such as FANFARE_LIMITS_PENDING' : undefined;
  report({ file: name, line: 1, column: 1 }, name, `unknown variable; ${hint ?? `did you mean ${near}?`}`);
}

import type { Config } from '../../src/config/config.ts';
import { type ConfigError, formatError } from '../../src/config/config-error.ts';
import { type ConfigResult, parseConfig } from '../../src/config/load-config.ts';
import { OwnWords, redacted } from '../../src/secret/redaction.ts';

interface Sources {
  readonly sets?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Texts of the files that variables name; every other one is missing. */
  readonly files?: Readonly<Record<string, string>>;
}

export function parse(text: string, { sets = [], env = {}, files = {} }: Sources = {}): ConfigResult {
  const readText = (path: string) => {
    const found = files[path];
    return found === undefined ? { why: 'there is no file of this name' } : { text: found };
  };
  return parseConfig({ text, file: 'relay.yaml', sets, env, hostName: 'host-1', readText });
}

/** The configuration; throws the error lines when there is none. */
export function accepted(text: string, sources?: Sources): Config {
  const result = parse(text, sources);
  if (!result.ok) throw new Error(result.errors.map(formatError).join('\n'));
  return result.config;
}

/** The error lines; throws when there are none. */
export function refused(text: string, sources?: Sources): string[] {
  const result = parse(text, sources);
  if (result.ok) throw new Error('the configuration was accepted');
  return result.errors.map(lineOf);
}

export function warned(text: string, sources?: Sources): string[] {
  const result = parse(text, sources);
  if (!result.ok) throw new Error(result.errors.map(formatError).join('\n'));
  return result.warnings.map(lineOf);
}

/** A fault as it is shown at a start. A log and an answer show it as well, with all that was expected. */
function lineOf(error: ConfigError): string {
  const line = formatError(error);
  const { logged } = redacted({ logged: new OwnWords(line) });
  if (String(logged) !== line) throw new Error(`the log says ${String(logged)} in place of ${line}`);
  return line;
}

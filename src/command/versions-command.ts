import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BadUsage, type Command, DONE } from './command.ts';

export const versionCommand: Command = {
  usage: ['version'],
  async run(args, { out, packageRoot }) {
    if (args.length > 0) throw new BadUsage();
    out(`fanfare ${versionOf(packageRoot)}`);
    return DONE;
  },
};

/** Of the relay, of what runs it, and of what it is made of. */
export const versionsCommand: Command = {
  usage: ['versions'],
  async run(args, { out, packageRoot }) {
    if (args.length > 0) throw new BadUsage();
    const { dependencies = {} } = packageOf(packageRoot);
    const rows: [string, string][] = [
      ['fanfare', versionOf(packageRoot)],
      ['node', process.versions.node],
      ['v8', process.versions.v8],
      ['openssl', process.versions.openssl],
      ...Object.keys(dependencies).map((name): [string, string] => [
        name,
        versionOf(join(packageRoot, 'node_modules', name)),
      ]),
    ];
    const longest = Math.max(...rows.map(([name]) => name.length));
    for (const [name, version] of rows) out(`${name.padEnd(longest)}  ${version}`);
    return DONE;
  },
};

export function versionOf(folder: string): string {
  try {
    return packageOf(folder).version;
  } catch {
    return 'unknown';
  }
}

interface Package {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function packageOf(folder: string): Package {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package;
}

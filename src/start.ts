/**
 * Where the program starts. Nothing is imported before Node's version is known to do: what an old one lacks would end it
 * with a stack trace, while it reads the modules. So this file keeps to what old versions can read themselves.
 */
const NEEDED = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];

if (major < (NEEDED[0] as number) || (major === NEEDED[0] && minor < (NEEDED[1] as number))) {
  process.stderr.write(
    `fanfare needs Node.js ${NEEDED.join('.')} or newer, and this is ${process.versions.node}: install it, or set RELEASE_NODE to its path\n`,
  );
  process.exitCode = 1;
} else {
  void import('./command/main.ts')
    .then(({ main }) => main(process.argv.slice(2)))
    .then((code) => {
      process.exitCode = code;
    });
}

export {};

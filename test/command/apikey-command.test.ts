import { lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parseKeyFile } from '../../src/config/api-keys.ts';
import { sha256 } from '../../src/secret/secret.ts';
import { queryOn, sharedPostgres, testWithPostgres } from '../support/postgres.ts';
import { configFile, type Exited, packageRoot } from '../support/relay-process.ts';
import { runCommand, runProgram } from './run-command.ts';

const postgres = sharedPostgres();
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

interface Store {
  readonly config: string;
  run(...args: string[]): Promise<Exited>;
  /** Whether this is the domain's key, and counts. */
  opens(domain: string, key: string): Promise<boolean>;
}

function fileStore(t: ExecutionContext, settings = 'doors: { wspubsub: true }'): Store & { file: string } {
  const config = configFile(t, settings);
  const file = join(dirname(config), 'apikeys.yaml');
  return {
    config,
    file,
    run: (...args) => runCommand(['apikey', ...args, '--config', config]),
    async opens(domain, key) {
      const result = parseKeyFile(readFileSync(file, 'utf8'), file);
      if (!result.ok) throw new Error('the file is broken');
      return result.keys.some((each) => each.domain === domain && each.sha256.equals(sha256(key)));
    },
  };
}

async function postgresStore(t: ExecutionContext): Promise<Store & { url: string }> {
  const url = await (await postgres()).database();
  await queryOn(url, readFileSync(join(packageRoot, 'rel', 'sql', 'apikeys.sql'), 'utf8'));
  const config = configFile(t, `apikeys: { postgres: ${JSON.stringify(url)} }`);
  return {
    config,
    url,
    run: (...args) => runCommand(['apikey', ...args, '--config', config]),
    async opens(domain, key) {
      const sql = 'SELECT 1 FROM apikeys WHERE apikey = $1 AND domain = $2 AND active = true';
      return (await queryOn(url, sql, [key, domain])).rows.length === 1;
    },
  };
}

const lastLine = ({ out }: Exited) => out.trimEnd().split('\n').at(-1) ?? '';

/** What both stores promise. */
function storeTests(
  name: string,
  run: typeof testWithPostgres,
  make: (t: ExecutionContext) => Store | Promise<Store>,
) {
  run(`${name}: a key is added, listed without itself, replaced and revoked`, async (t) => {
    const { run: apikey, opens } = await make(t);
    const added = await apikey('add', 'example.com', 'ada@example.com');
    const key = lastLine(added);
    t.is(added.code, 0, added.err);
    t.regex(key, UUID);
    t.true(await opens('example.com', key));
    t.is((await apikey('add', 'b.example.com')).code, 0);

    const again = await apikey('add', 'example.com');
    t.deepEqual(again, {
      code: 1,
      out: '',
      err: 'example.com has a key; --replace puts another one in its place\n',
    });
    t.true(await opens('example.com', key));

    const listed = await apikey('list');
    t.is(listed.code, 0);
    t.deepEqual(
      listed.out
        .split('\n')
        .map((line) => line.replaceAll(/ {2,}/g, '|').replaceAll(/\d{4}-[\dT:.Z-]+/g, 'TIME')),
      [
        'DOMAIN|USERNAME|CREATED|STATE',
        'b.example.com|b.example.com|TIME|active',
        'example.com|ada@example.com|TIME|active',
        '',
      ],
    );
    for (const secret of [key, sha256(key).toString('hex')]) t.false(listed.out.includes(secret));

    const other = lastLine(await apikey('add', 'example.com', '--replace'));
    t.regex(other, UUID);
    t.not(other, key);
    t.false(await opens('example.com', key));
    t.true(await opens('example.com', other));
    t.regex((await apikey('list')).out, /ada@example\.com/, 'the user name stays');

    const revoked = await apikey('revoke', 'example.com');
    t.deepEqual(revoked, { code: 0, out: 'the key of example.com is revoked\n', err: '' });
    t.false(await opens('example.com', other));
    t.deepEqual(await apikey('revoke', 'example.com'), {
      code: 1,
      out: '',
      err: 'example.com has no key\n',
    });
    t.true(await opens('example.com', lastLine(await apikey('add', 'example.com'))), 'a revoked key is none');
  });

  run(`${name}: an import takes all keys or none, and may be repeated`, async (t) => {
    const { run: apikey, opens, config } = await make(t);
    const csv = join(dirname(config), 'keys.csv');
    const rows = (...lines: string[]) =>
      writeFileSync(csv, `domain,username,apikey,active\n${lines.join('\n')}\n`);
    rows('a,ada,key-a,t', 'b,bob,key-b,t', 'c,cyd,key-c,f');
    const result = { code: 0, err: '' };
    t.deepEqual(await apikey('import', csv), {
      ...result,
      out: '2 imported, 0 there already, 1 not active and left out\n',
    });
    t.true((await opens('a', 'key-a')) && (await opens('b', 'key-b')));
    t.false(await opens('c', 'key-c'));
    t.deepEqual(await apikey('import', csv), {
      ...result,
      out: '0 imported, 2 there already, 1 not active and left out\n',
    });

    rows('d,dan,key-d,t', 'a,ada,other-a,t');
    t.deepEqual(await apikey('import', csv), {
      code: 1,
      out: '',
      err: 'a has another key; --replace puts this one in its place\nnothing was imported\n',
    });
    t.false(await opens('d', 'key-d'));
    t.is(
      (await apikey('import', csv, '--replace')).out,
      '2 imported, 0 there already, 0 not active and left out\n',
    );
    t.true((await opens('d', 'key-d')) && (await opens('a', 'other-a')));
    t.false(await opens('a', 'key-a'));

    rows('e,eve,key-b,t');
    const taken = await apikey('import', csv, '--replace');
    t.is(taken.code, 1);
    t.regex(taken.err, /another domain/);
    t.notRegex(taken.err, /key-b/);
    t.false(await opens('e', 'key-b'));
  });
}

storeTests('file', test as typeof testWithPostgres, (t) => fileStore(t));
storeTests('PostgreSQL', testWithPostgres, postgresStore);

test('what people wrote into the file stays, as long as it is read by its owner alone', async (t) => {
  const { run, file, config } = fileStore(t);
  writeFileSync(file, `# Ours.\n- domain: 0123 # a number\n  sha256: ${sha256('k').toString('hex')}\n`, {
    mode: 0o600,
  });
  t.is((await run('add', 'null', 'yes: "no"')).code, 0);
  const text = readFileSync(file, 'utf8');
  t.true(text.startsWith('# Ours.\n- domain: 0123 # a number\n'));
  t.regex(text, /\n- domain: "null"\n {2}username: "yes: \\"no\\""\n/);
  t.is(statSync(file).mode & 0o777, 0o600);
  t.not(statSync(config).mode & 0o777, 0o600);
});

test('a new file may be read by whoever may read the configuration', async (t) => {
  const { run, file, config } = fileStore(t);
  t.is((await run('add', 'a')).code, 0);
  t.is(statSync(file).mode & 0o666, statSync(config).mode & 0o666);
});

test('a link to the file stays a link', async (t) => {
  const { run, file } = fileStore(t);
  const target = join(dirname(file), 'elsewhere.yaml');
  writeFileSync(target, '');
  symlinkSync(target, file);
  t.is((await run('add', 'a')).code, 0);
  t.true(lstatSync(file).isSymbolicLink());
  t.regex(readFileSync(target, 'utf8'), /domain: "a"/);
});

test('a broken file is not written over', async (t) => {
  const { run, file } = fileStore(t);
  writeFileSync(file, '- hunter2\n');
  for (const args of [['add', 'a'], ['list'], ['revoke', 'a']]) {
    const { code, out, err } = await run(...args);
    t.deepEqual(
      { code, out, err },
      { code: 1, out: '', err: `${file}:1:3 keys[0]: a map of keys: domain, username, sha256, created\n` },
    );
  }
  t.is(readFileSync(file, 'utf8'), '- hunter2\n');
});

test('of commands at the same time each does its work, or says that another one is at work', async (t) => {
  const { run, config, file, opens } = fileStore(t);
  const results = await Promise.all(
    ['a', 'b', 'c', 'd'].map(
      async (domain) => [domain, await runProgram(['apikey', 'add', domain, '--config', config])] as const,
    ),
  );
  for (const [domain, result] of results) {
    if (result.code === 0) t.true(await opens(domain, lastLine(result)));
    else t.regex(result.err, /another command is at work/);
  }
  t.true(results.some(([, { code }]) => code === 0));
  writeFileSync(`${file}.new`, '');
  t.regex((await run('add', 'e')).err, /apikeys\.yaml\.new is there: another command is at work/);
});

test('keys in the configuration itself are not for commands to change', async (t) => {
  const { run, config } = fileStore(
    t,
    'doors: { wspubsub: { apikeys: { list: [{ domain: a, key: hunter2 }] } } }',
  );
  t.deepEqual(await run('list'), {
    code: 1,
    out: '',
    err: `the keys are in ${config} itself, under apikeys.list: change them there\n`,
  });
});

test('a command line that makes no sense gets the usage, a bad configuration its faults', async (t) => {
  const { run } = fileStore(t);
  const wrong = [
    [],
    ['foo'],
    ['add'],
    ['add', 'a', 'b', 'c'],
    ['list', 'a'],
    ['revoke'],
    ['import'],
    ['list', '--replace'],
    ['list', '--foo'],
  ];
  for (const args of wrong) {
    const { code, out, err } = await run(...args);
    t.is(code, 1, args.join(' '));
    t.is(out, '');
    t.regex(err, /usage: node dist\/start\.js apikey add DOMAIN/);
  }
  const help = await runCommand(['apikey', '--help']);
  t.is(help.code, 0);
  t.regex(help.out, /^usage: .*apikey add DOMAIN/);
  const bad = await runCommand(['apikey', 'list', '--config', configFile(t, 'nod: x')]);
  t.is(bad.code, 78);
  t.regex(bad.err, /relay\.yaml:1:1 nod: unknown key/);
  for (const domain of ['a/b', '', 'd'.repeat(65), 'a\nb']) t.is((await run('add', domain)).code, 1);
  t.regex((await run('import', '/nowhere.csv')).err, /^\/nowhere\.csv cannot be read \(ENOENT\)\n$/);
});

testWithPostgres('a database that cannot be used is one clear line, without its password', async (t) => {
  const server = await postgres();
  const bare = await server.database('tcp');
  const wrong = bare.replace(/:[^:@/]*@/, ':hunter2@');
  const nowhere = 'postgres://fanfare:hunter2@127.0.0.1:1/keys';
  for (const [url, line] of [
    [bare, /^the database test\d+ has no table of API keys; rel\/sql\/apikeys\.sql creates it\n$/],
    [wrong, /^the database does not take this password\n$/],
    [bare.replace(/\w+$/, 'absent'), /^the database is not there\n$/],
    [nowhere, /^the database cannot be reached, or answered with an error \(ECONNREFUSED\)\n$/],
  ] as const) {
    const config = configFile(t, `apikeys: { postgres: ${JSON.stringify(url)} }`);
    const { code, out, err } = await runCommand(['apikey', 'list', '--config', config]);
    t.is(code, 1);
    t.is(out, '');
    t.regex(err, line);
  }
});

testWithPostgres(
  'a key in PostgreSQL is active, with a user name, and a revoked one stays as a row',
  async (t) => {
    const { run, url } = await postgresStore(t);
    const key = lastLine(await run('add', 'example.com', 'ada'));
    const rows = async () =>
      (await queryOn(url, 'SELECT domain, username, apikey, active FROM apikeys')).rows;
    t.deepEqual(await rows(), [{ domain: 'example.com', username: 'ada', apikey: key, active: true }]);
    await run('revoke', 'example.com');
    t.deepEqual(await rows(), [{ domain: 'example.com', username: 'ada', apikey: key, active: false }]);
    t.regex((await run('list')).out, /revoked/);
  },
);

testWithPostgres('the program ends by itself when a command is done', async (t) => {
  const { config, opens } = await postgresStore(t);
  const added = await runProgram(['apikey', 'add', 'example.com', '--config', config]);
  t.is(added.code, 0);
  t.regex(lastLine(added), UUID);
  t.true(await opens('example.com', lastLine(added)));
  t.is((await runProgram(['apikey', 'add', 'example.com', '--config', config])).code, 1);
  t.is((await runProgram(['apikey', 'list', '--config', '/nowhere.yaml'])).code, 78);
  const password = await runProgram(['password', 'hash'], 'a\n');
  t.is(password.out, `sha256:${sha256('a').toString('hex')}\n`);
});

testWithPostgres(
  'whoever runs the commands needs no more rights than those that are documented',
  async (t) => {
    const { run, url, config } = await postgresStore(t);
    await queryOn(
      url,
      `CREATE ROLE keeper LOGIN; GRANT SELECT, INSERT, UPDATE ON apikeys TO keeper;
     GRANT USAGE ON SEQUENCE apikeys_id_seq TO keeper`,
    );
    writeFileSync(config, `apikeys: { postgres: ${JSON.stringify(url.replace('fanfare@', 'keeper@'))} }`);
    for (const args of [['add', 'a'], ['add', 'a', '--replace'], ['revoke', 'a'], ['list']]) {
      t.is((await run(...args)).code, 0, args.join(' '));
    }
    await queryOn(url, 'REVOKE UPDATE ON apikeys FROM keeper');
    t.regex((await run('revoke', 'a')).err, /does not allow this user to do that/);
  },
);

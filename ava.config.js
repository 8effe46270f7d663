export default {
  files: ['{test,client/test}/**/*.test.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  // tsx does not reach into worker threads.
  workerThreads: false,
  // Without any result from any file, for so long: more than the slowest test waits on a slow machine.
  timeout: '5m',
};

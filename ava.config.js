export default {
  files: ['test/**/*.test.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  // tsx does not reach into worker threads.
  workerThreads: false,
  // Without any news of a test. What a test waits for is given up before, with a message.
  timeout: '3m',
};

/** For `npm test`, which has compiled everything to `build`: that takes seconds, and saves each file the time to do it. */
export default {
  files: ['build/{test,client/test}/**/*.test.js'],
  workerThreads: false,
  timeout: '5m',
};

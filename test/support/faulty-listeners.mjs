// Loaded before the relay: from the first SIGUSR2 on, no listener of this process ever listens again.
import { Server } from 'node:net';

const servers = new Set();
const listen = Server.prototype.listen;
let faulty = false;

function fail(server) {
  server.emit('error', Object.assign(new Error('injected'), { code: 'EINJECTED' }));
}

Server.prototype.listen = function (...args) {
  servers.add(this);
  if (!faulty) return listen.apply(this, args);
  setImmediate(fail, this);
  return this;
};

process.on('SIGUSR2', () => {
  faulty = true;
  for (const server of servers) fail(server);
});

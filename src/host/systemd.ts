import { spawn } from 'node:child_process';

interface ServiceManagerOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Rejects when the relay is not well. Asked before each sign of life. */
  readonly alive: () => Promise<void>;
  readonly failed: (why: string) => void;
}

/**
 * Tells systemd how the service is (sd_notify(3)). Its socket takes datagrams, which Node cannot send to UNIX sockets:
 * `systemd-notify` does it for us. Without `NOTIFY_SOCKET` nothing is told.
 */
export function serviceManager({ env, alive, failed }: ServiceManagerOptions) {
  const isThere = env['NOTIFY_SOCKET'] !== undefined;
  const tell = (...states: string[]) => {
    if (isThere) notify(states, env, failed);
  };
  const limit = isThere ? watchdogPeriod(env) : undefined;
  let timer: NodeJS.Timeout | undefined;
  if (limit !== undefined) {
    let asking = false;
    // Twice in the time that systemd gives (sd_watchdog_enabled(3)).
    timer = setInterval(() => {
      if (asking) return;
      asking = true;
      alive()
        .then(
          () => tell('WATCHDOG=1'),
          (error: unknown) => failed(`the root does not answer: ${(error as Error).message}`),
        )
        .finally(() => {
          asking = false;
        });
    }, limit / 2);
    timer.unref();
  }
  return {
    ready: () => tell('--ready', 'STATUS=Running'),
    // Type=notify knows RELOADING=1 and then READY=1; we are ready again at once.
    reloading: () => tell('STATUS=Running; the configuration was read again'),
    stopping: () => tell('STOPPING=1', 'STATUS=Draining'),
    /** Ends the signs of life. */
    close: () => clearInterval(timer),
  };
}

/** Milliseconds after which systemd takes the service for dead; undefined: it does not watch, or another process. */
export function watchdogPeriod(env: NodeJS.ProcessEnv): number | undefined {
  const microseconds = Number(env['WATCHDOG_USEC']);
  const pid = env['WATCHDOG_PID'];
  if (!(microseconds > 0) || (pid !== undefined && Number(pid) !== process.pid)) return undefined;
  return microseconds / 1000;
}

function notify(states: readonly string[], env: NodeJS.ProcessEnv, failed: (why: string) => void): void {
  // The service is this process, not `systemd-notify`.
  const child = spawn('systemd-notify', [`--pid=${process.pid}`, ...states], { env, stdio: 'ignore' });
  child.unref();
  child.on('error', (error) => failed(`systemd-notify: ${error.message}`));
  child.on('exit', (code) => {
    if (code !== 0) failed(`systemd-notify ended with ${code}`);
  });
}

/** Aborted by SIGINT or SIGTERM, which from the call on end the command in good order; a second signal ends the process. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  // Once: the next signal does what it does by itself, and ends the process.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => controller.abort());
  return controller.signal;
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

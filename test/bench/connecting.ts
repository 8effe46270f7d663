/** Upgrades under way at a time, and how long all of them may take together. */
const UPGRADES = 128;
const CONNECT_LIMIT = 120_000;

/** Opens `count` connections, a bounded number at a time; rejects with the first one that fails. */
export async function connectAll(
  count: number,
  open: (index: number, done: (error?: Error) => void) => void,
): Promise<void> {
  let started = 0;
  let ready = 0;
  await new Promise<void>((resolve, reject) => {
    const limit = setTimeout(
      () => reject(new Error(`${ready} of ${count} connected in time`)),
      CONNECT_LIMIT,
    );
    const next = (): void => {
      const index = started++;
      open(index, (error) => {
        if (error !== undefined) return reject(error);
        ready += 1;
        if (started < count) next();
        else if (ready === count) {
          clearTimeout(limit);
          resolve();
        }
      });
    };
    while (started < Math.min(UPGRADES, count)) next();
  });
}

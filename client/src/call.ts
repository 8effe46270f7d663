/** What a listener throws is its own: it is reported as uncaught, and the others are called. */
export function call<Words extends unknown[]>(listener: (...words: Words) => void, ...words: Words): void {
  try {
    listener(...words);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Milliseconds of a clock that all processes of one machine share, and that never goes back. */
export function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

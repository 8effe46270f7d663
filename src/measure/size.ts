const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Bytes as text: `0 B`, `1.5 KiB`, `12 MiB`. */
export function size(bytes: number): string {
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const text = unit === 0 || value >= 100 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
  return `${bytes < 0 ? '-' : ''}${text} ${UNITS[unit]}`;
}

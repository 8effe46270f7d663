/** The PROXY header of version 2 for TCP over IPv4 (family 0x11), or of another family with its addresses. */
export function proxyV2(
  source: string,
  { command = 0x21, family = 0x11, more = Buffer.alloc(0) } = {},
): Buffer {
  const addresses =
    family === 0x21
      ? Buffer.concat([ipv6(source), Buffer.alloc(16), Buffer.alloc(4)])
      : Buffer.concat([Buffer.from(source.split('.').map(Number)), Buffer.alloc(8)]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(addresses.length + more.length);
  return Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n'),
    Buffer.from([command, family]),
    length,
    addresses,
    more,
  ]);
}

/** `address`: all eight groups. */
function ipv6(address: string): Buffer {
  return Buffer.from(
    address
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
    'hex',
  );
}

/** Why a port or socket could not be had, in one line for an operator. */
export function describeFailure(
  error: Error & { readonly code?: string | undefined },
  at: { readonly host: string; readonly port: number } | { readonly socket: string },
): string {
  const where = 'port' in at ? `${at.host}:${at.port}` : at.socket;
  switch (error.code) {
    case 'EADDRINUSE':
      return `cannot listen on ${where}: the address is in use`;
    case 'EACCES':
      return `cannot listen on ${where}: permission denied`;
    case 'EADDRNOTAVAIL':
      return `cannot listen on ${where}: this machine has no such address`;
    default:
      return `cannot listen on ${where}: ${error.code ?? error.name}`;
  }
}

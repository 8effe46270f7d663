import { Agent as HttpAgent, type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

/**
 * GET requests to a back end: connections are kept, redirects are not followed, and an answer takes so long and is so
 * large and no more.
 */

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** At most the limit of it. */
  readonly body: Buffer;
  /** There was more. */
  readonly cut: boolean;
}

export type HttpGet = (url: URL, headers: Readonly<Record<string, string | string[]>>) => Promise<HttpAnswer>;

const HEAD_BYTES = 16 * 1024;
/** Connections to one back end; more requests than that wait for one, within their time. */
const CONNECTIONS = 256;
const IDLE_CONNECTIONS = 16;

/** `timeout`: milliseconds until the whole answer is there. `limit`: bytes of its body. Rejects with a code. */
export function httpGet({ timeout, limit }: { readonly timeout: number; readonly limit: number }): HttpGet {
  const options = { keepAlive: true, maxSockets: CONNECTIONS, maxFreeSockets: IDLE_CONNECTIONS };
  const plain = new HttpAgent(options);
  const secure = new HttpsAgent(options);

  function attempt(
    url: URL,
    headers: Parameters<HttpGet>[1],
    deadline: number,
    isRetry: boolean,
  ): Promise<HttpAnswer> {
    const isSecure = url.protocol === 'https:';
    const outgoing = (isSecure ? requestHttps : requestHttp)(url, {
      method: 'GET',
      agent: isSecure ? secure : plain,
      headers: { ...headers },
      maxHeaderSize: HEAD_BYTES,
    });
    // Of the answer: by itself Node leaves out the headers past a thousand.
    outgoing.maxHeadersCount = 0;
    const timer = setTimeout(
      () => outgoing.destroy(Object.assign(new Error('late'), { code: 'ETIMEDOUT' })),
      Math.max(deadline - performance.now(), 0),
    );
    outgoing.on('close', () => clearTimeout(timer));
    return new Promise((resolve, reject) => {
      outgoing.on('error', (error: Error & { readonly code?: string }) => {
        // The back end ended a connection that we had kept just as we used it again (RFC 9112, section 9.3.1).
        if (outgoing.reusedSocket && error.code === 'ECONNRESET' && !isRetry)
          attempt(url, headers, deadline, true).then(resolve, reject);
        else reject(error);
      });
      outgoing.on('response', (response) => {
        const { statusCode: status = 0, headers: answered } = response;
        const chunks: Buffer[] = [];
        let size = 0;
        const done = (cut: boolean) =>
          resolve({ status, headers: answered, body: Buffer.concat(chunks).subarray(0, limit), cut });
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size <= limit) return;
          done(true);
          outgoing.destroy();
        });
        response.on('end', () => done(false));
        response.on('error', reject);
      });
      outgoing.end();
    });
  }

  return (url, headers) => attempt(url, headers, performance.now() + timeout, false);
}

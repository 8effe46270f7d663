import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Asks the admin port. */
export function ask(
  port: number,
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
        agent: false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    asked.on('error', reject);
    asked.end(options.body);
  });
}

/** A metric's samples by their labels, as text: `{door="pusu"}`; the empty string where there are none. */
export type Samples = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Reads the text format of Prometheus; throws where a line is none of it. */
export function parseMetrics(text: string): Samples {
  const metrics = new Map<string, Map<string, number>>();
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-z_]+ /.test(line)) continue;
    const [, name, labels = '', value] =
      /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)+\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || Number.isNaN(Number(value))) throw new Error(`no metric: ${line}`);
    let samples = metrics.get(name);
    if (samples === undefined) {
      samples = new Map();
      metrics.set(name, samples);
    }
    if (samples.has(labels)) throw new Error(`twice: ${line}`);
    samples.set(labels, Number(value));
  }
  return metrics;
}

export function sumOf(samples: Samples, name: string, label = ''): number {
  let sum = 0;
  for (const [labels, value] of samples.get(name) ?? []) if (labels.includes(label)) sum += value;
  return sum;
}

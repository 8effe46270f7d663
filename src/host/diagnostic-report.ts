import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { redacting } from '../secret/redaction.ts';
import type { NodeView } from '../view/node-view.ts';
import { runtimeInfo } from '../view/runtime.ts';
import { tree } from '../view/tree.ts';

/** The report that Node makes, as far as we touch it. */
interface NodeReport {
  environmentVariables?: unknown;
  header?: { commandLine?: unknown };
  /** A report of each thread, with the same variables and flags once more. */
  readonly workers?: readonly NodeReport[];
}

/** Processes of one supervisor in the report. */
const CHILDREN = 100;

/**
 * Writes Node's diagnostic report together with the supervision tree, and returns the file's path. Variables and flags
 * may hold passwords and keys: they are left out.
 */
export function writeDiagnosticReport(node: NodeView, folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const report = withoutSettings(process.report.getReport() as NodeReport);
  const fanfare = { runtime: runtimeInfo(node), tree: tree(node, CHILDREN), reports: node.reports.last(100) };
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  const file = join(folder, `report-${time}.json`);
  writeFileSync(file, JSON.stringify({ fanfare, ...report }, redacting, 2), { mode: 0o600 });
  return file;
}

/** Node before 23.3 has no setting that leaves out the variables, and none leaves out the flags. */
function withoutSettings(report: NodeReport): NodeReport {
  const { environmentVariables: _, header, workers = [], ...rest } = report;
  const { commandLine: __, ...known } = header ?? {};
  return { header: known, ...rest, workers: workers.map(withoutSettings) };
}

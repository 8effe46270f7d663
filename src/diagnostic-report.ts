import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeInfo } from './console/helpers/runtime.ts';
import { tree } from './console/helpers/tree.ts';
import type { NodeView } from './console/node-view.ts';

/** The report that Node makes, as far as we touch it. */
interface NodeReport {
  environmentVariables?: unknown;
  header?: { commandLine?: unknown };
}

/** Processes of one supervisor in the report. */
const CHILDREN = 100;

/**
 * Writes Node's diagnostic report together with the supervision tree, and returns the file's path. Variables and flags
 * may hold passwords and keys: they are left out.
 */
export function writeDiagnosticReport(node: NodeView, folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const report = process.report.getReport() as NodeReport;
  delete report.environmentVariables;
  if (report.header !== undefined) delete report.header.commandLine;
  const fanfare = { runtime: runtimeInfo(node), tree: tree(node, CHILDREN), reports: node.reports.last(100) };
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  const file = join(folder, `report-${time}.json`);
  writeFileSync(file, JSON.stringify({ fanfare, ...report }, null, 2), { mode: 0o600 });
  return file;
}

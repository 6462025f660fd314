/**
 * A running director as a director.yaml: `ulvs dump`.
 *
 *     its own file ──────────────► every key that no command changes, with its comments
 *     status, with --replay ─────► devices: MAC, addresses, MTU
 *     list, getSysctls, getTimeouts ► rules, sysctl, timeouts as they are now
 *     kernel, with --replay ─────► routes, policy, neighbours
 */
import { type Document, parseDocument, Scalar, YAMLMap, Document as YamlDocument } from 'yaml';
import type { DestinationEntry, DeviceStatus, ServiceEntry, Timeouts } from '../../control/api/api.js';
import { defaultSysctls, SYSCTL_NAMES, type Sysctls } from '../../service/sysctl.js';
import { numericLabel } from '../../ulvsadm/labels.js';
import { printRules } from '../../ulvsadm/print-rules.js';
import type { KernelPaths } from './kernel-paths.js';

/** What a director has now. */
export interface LiveDirector {
  readonly devices: readonly Pick<DeviceStatus, 'name' | 'kind' | 'mac' | 'mtu' | 'addresses'>[];
  /** In the order of a listing: the newest first. */
  readonly services: readonly ServiceEntry[];
  readonly sysctls: Sysctls;
  readonly timeouts: Timeouts;
}

/** `base`: the text of its own director.yaml; '': it has none. */
export function directorYaml(base: string, live: LiveDirector, paths?: KernelPaths): string {
  const document: Document = base === '' ? new YamlDocument({}) : parseDocument(base);
  document.set('devices', devicesOf(document, live, paths !== undefined));
  if (paths !== undefined)
    for (const [key, value] of Object.entries(paths)) document.set(key, flowRows(document, value));
  document.set('sysctl', changedSysctls(live.sysctls));
  document.set('timeouts', live.timeouts);
  document.delete('rulesFile');
  document.set('rules', rulesOf(live.services));
  return document.toString({ lineWidth: 0, blockQuote: 'literal' });
}

/** As the file has them; `whole`: with what the interfaces have, which a replay needs. */
function devicesOf(document: Document, { devices }: LiveDirector, whole: boolean): unknown {
  const written = (document.toJS() as { devices?: readonly { name: string }[] }).devices ?? [];
  return flowRows(
    document,
    devices.map(({ name, kind, mac, mtu, addresses }) => {
      const own = written.find((one) => one.name === name) ?? { name, kind };
      if (!whole) return own;
      return { ...own, ...(mac !== '' && { mac }), ...(addresses.length > 0 && { addresses: [...addresses] }), mtu };
    }),
  );
}

/** A list with one row a line. */
function flowRows(document: Document, rows: readonly object[]): unknown {
  const list = document.createNode(rows) as { items: unknown[] };
  for (const row of list.items) if (row instanceof YAMLMap) flowRow(row);
  return list;
}

/** A MAC of digits only would be a number for a reader of YAML 1.1. */
function flowRow(row: YAMLMap): void {
  row.flow = true;
  const mac = row.get('mac', true);
  if (mac instanceof Scalar) mac.type = 'QUOTE_DOUBLE';
}

function changedSysctls(now: Sysctls): Partial<Sysctls> {
  const usual = defaultSysctls();
  return Object.fromEntries(SYSCTL_NAMES.filter((name) => now[name] !== usual[name]).map((name) => [name, now[name]]));
}

/**
 * Lines as for ulvsadm -R, the oldest service first: a director that reads them lists them in the
 * same order.
 */
function rulesOf(services: readonly ServiceEntry[]): string {
  return [...services].reverse().map(linesOf).join('');
}

/** As of ulvsadm -Sn, and with the thresholds, which -S leaves out as ipvsadm does. */
function linesOf(service: ServiceEntry): string {
  const destinations = [...service.destinations].reverse();
  const [head, ...lines] = printRules(service, numericLabel, destinations).trimEnd().split('\n');
  return [head, ...lines.map((line, i) => `${line}${thresholds(destinations[i]!)}`), ''].join('\n');
}

function thresholds({ upperThreshold, lowerThreshold }: DestinationEntry): string {
  return (upperThreshold === 0 ? '' : ` -x ${upperThreshold}`) + (lowerThreshold === 0 ? '' : ` -y ${lowerThreshold}`);
}

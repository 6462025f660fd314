/** `-L` of services, in ipvsadm 1.31's columns. */
import type { DestinationEntry, ServiceEntry, StatsEntry } from '../control/api/api.js';
import { isFwmark, SCTP, SVC_ONEPACKET, SVC_PERSISTENT, TCP, UDP } from '../service/config.js';
import { isIPv6 } from '../wire/address.js';
import { schedulerFlagNames } from './flags.js';
import type { Label } from './labels.js';
import { maskWord } from './options/service.js';
import { sortDestinations } from './order.js';
import { printRules } from './print-rules.js';
import type { Layout, Style } from './style.js';

const LOCAL = 'Prot LocalAddress:Port'.padEnd(33);
const REMOTE = '  -> RemoteAddress:Port';
const columns = (words: readonly string[], width: number): string => words.map((w) => ` ${w.padStart(width)}`).join('');

const TITLES: Readonly<Record<Layout, string>> = {
  stats: `${LOCAL}${columns(['Conns', 'InPkts', 'OutPkts', 'InBytes', 'OutBytes'], 8)}\n${REMOTE}\n`,
  rate: `${LOCAL}${columns(['CPS', 'InPPS', 'OutPPS', 'InBPS', 'OutBPS'], 8)}\n${REMOTE}\n`,
  thresholds: `${LOCAL} Uthreshold Lthreshold ActiveConn InActConn \n${REMOTE}\n`,
  'persistent-conn': `${LOCAL} Weight    PersistConn ActiveConn InActConn \n${REMOTE}\n`,
  'tun-info': `Prot LocalAddress:Port Scheduler Flags\n${REMOTE}           Forward TunnelInfo    Weight ActiveConn InActConn\n`,
  plain: `Prot LocalAddress:Port Scheduler Flags\n${REMOTE}           Forward Weight ActiveConn InActConn\n`,
  rules: '',
};

const PROTOCOL: Readonly<Record<number, string>> = { [TCP]: 'TCP', [UDP]: 'UDP', [SCTP]: 'SCTP' };
const FORWARD = {
  masq: 'Masq',
  local: 'Local',
  ipip: 'Tunnel',
  gatewaying: 'Route',
  bypass: 'Masq',
  fullnat: 'FullNat',
} as const;
const CHECKSUM = { '': '-c', csum: '+c', remcsum: 'r+c' } as const;

export const banner = (size: number): string => `IP Virtual Server version 1.2.1 (size=${size})\n`;

export function printServices(services: readonly ServiceEntry[], style: Style, label: Label): string {
  return TITLES[style.layout] + services.map((service) => printService(service, style, label)).join('');
}

function printService(service: ServiceEntry, style: Style, label: Label): string {
  const destinations = style.sorted ? sortDestinations(service.destinations) : service.destinations;
  if (style.layout === 'rules') return printRules(service, label, destinations);
  const protocol = isFwmark(service.key) ? 0 : service.key.protocol;
  const rows = destinations.map((destination) => {
    const name = label(destination.address, destination.port, protocol);
    const cut = isIPv6(destination.address) ? name : name.slice(0, 28);
    return `  -> ${cut.padEnd(28)}${destinationColumns(destination, style)}\n`;
  });
  return [`${serviceRow(service, style, label)}\n`, ...rows].join('');
}

function serviceRow(service: ServiceEntry, style: Style, label: Label): string {
  const name = serviceName(service, label);
  if (style.layout === 'stats') return name.padEnd(33) + totals(service.stats, style.exact);
  if (style.layout === 'rate') return name.padEnd(33) + rates(service.stats, style.exact);
  return `${name} ${service.scheduler}${serviceFlags(service)}`;
}

function serviceName({ key }: ServiceEntry, label: Label): string {
  if (isFwmark(key)) return `FWM  ${key.fwmark | 0}${key.family === 6 ? ' IPv6' : ''}`;
  const protocol = (PROTOCOL[key.protocol] ?? '?').padEnd(4);
  const name = `${protocol} ${label(key.address, key.port, key.protocol)}`;
  return isIPv6(key.address) ? name : name.slice(0, 33);
}

function serviceFlags(service: ServiceEntry): string {
  const scheduler = schedulerFlagNames(service);
  const persistence = ` persistent ${service.timeout}${maskWord(service, ' mask ')}${service.pe && ` pe ${service.pe}`}`;
  return [
    scheduler === undefined ? '' : ` (${scheduler})`,
    service.flags & SVC_PERSISTENT ? persistence : '',
    service.flags & SVC_ONEPACKET ? ' ops' : '',
  ].join('');
}

function destinationColumns(destination: DestinationEntry, { layout, exact }: Style): string {
  const { activeConns, inactConns, persistConns, upperThreshold, lowerThreshold, stats, present } = destination;
  // As with keepalived, the listing shows the weight in force.
  const weight = present?.weight ?? destination.weight;
  const connections = `${pad(activeConns, 10)} ${pad(inactConns, 10)}`;
  const forward = FORWARD[destination.method].padEnd(7);
  switch (layout) {
    case 'stats':
      return totals(stats, exact);
    case 'rate':
      return realRates(stats, exact);
    case 'thresholds':
      return ` ${pad(upperThreshold, 10)} ${pad(lowerThreshold, 10)} ${connections}`;
    case 'persistent-conn':
      return ` ${pad(weight, 9)} ${pad(persistConns, 11)} ${connections}`;
    case 'tun-info':
      return ` ${forward} ${tunnelInfo(destination).padEnd(13)} ${pad(weight, 6)} ${connections}`;
    default:
      return ` ${forward} ${pad(weight, 6)} ${connections}`;
  }
}

const pad = (value: number, width: number): string => String(value).padEnd(width);

function tunnelInfo({ method, tunnel: { type, port, checksum } }: DestinationEntry): string {
  if (method !== 'ipip') return 'n/a';
  if (type === 'ipip') return 'ipip';
  return type === 'gue' ? `gue:${port}:${CHECKSUM[checksum]}` : `gre:${CHECKSUM[checksum]}`;
}

function totals({ conns, inpkts, outpkts, inbytes, outbytes }: StatsEntry, exact: boolean): string {
  return [conns, inpkts, outpkts, inbytes, outbytes].map((value) => large(value, exact)).join('');
}

function rates({ cps, inpps, outpps, inbps, outbps }: StatsEntry, exact: boolean): string {
  return [cps, inpps, outpps, inbps, outbps].map((value) => large(value, exact)).join('');
}

/** The first three rates of a destination are never abbreviated. */
function realRates({ cps, inpps, outpps, inbps, outbps }: StatsEntry, exact: boolean): string {
  return columns([cps, inpps, outpps].map(String), 8) + large(inbps, exact) + large(outbps, exact);
}

const UNITS = [
  { below: 1e9, divisor: 1e3, letter: 'K' },
  { below: 1e11, divisor: 1e6, letter: 'M' },
  { below: 1e14, divisor: 1e9, letter: 'G' },
  { below: Number.POSITIVE_INFINITY, divisor: 1e12, letter: 'T' },
] as const;

/**
 * A number in nine columns, abbreviated with decimal units and truncated. With `exact` it takes the
 * columns that it needs.
 */
export function large(value: number, exact: boolean): string {
  const digits = String(value);
  if (exact) return digits.padStart(digits.length <= 8 ? 9 : digits.length + 1);
  if (value < 1e8) return digits.padStart(9);
  const unit = UNITS.find(({ below }) => value < below)!;
  return `${String(Math.floor(value / unit.divisor)).padStart(8)}${unit.letter}`;
}

/**
 * Checks of the keys of a configuration against each other. Keys with mistakes of their own are
 * left out.
 */

import { forWorkers, mayHaveWorkers } from '../../device/kinds.js';
import { isFwmark, TCP } from '../../service/config.js';
import { namesDevice } from '../../service/mark.js';
import { isIPv6 } from '../../wire/address.js';
import { contains, parseIp, parsePrefix } from '../text/prefix.js';
import { crossCheckChecks } from './crosscheck-checks.js';
import type { DeviceConfig, RouteConfig } from './director-config.js';
import { type KeyPath, keyText } from './position.js';
import type { Problems } from './problem.js';
import type { Sections } from './sections.js';
import { serviceWords } from './service-words.js';

type Parts = Partial<Sections>;

/** Adds the mistakes to `problems`. */
export function crossCheck(parts: Parts, problems: Problems): void {
  checkDevices(parts, problems);
  checkNames(parts, problems);
  checkRoutes(parts, problems);
  checkPolicy(parts, problems);
  checkNeighbours(parts, problems);
  checkSnat(parts, problems);
  checkWorkers(parts, problems);
  crossCheckChecks(parts.checks ?? [], problems);
  checkSynProxies(parts, problems);
  checkEtcd(parts, problems);
  if (parts.rules !== undefined && parts.rulesFile !== undefined) {
    problems.addKey(['rulesFile'], 'rules are given too; keep one of the two');
  }
}

interface Place {
  readonly path: KeyPath;
  readonly value: string | undefined;
}

/** Each value may occur once: the second place gets a line that names the first. */
function unique(places: readonly Place[], problems: Problems): void {
  const first = new Map<string, KeyPath>();
  for (const { path, value } of places) {
    const before = value === undefined ? undefined : first.get(value);
    if (before) problems.add(path, `${value} is already at ${keyText(before)}`);
    else if (value !== undefined) first.set(value, path);
  }
}

function checkDevices({ devices = [] }: Parts, problems: Problems): void {
  unique(
    devices.map(({ name }, i) => ({ path: ['devices', i, 'name'], value: name })),
    problems,
  );
  unique(
    devices.map(({ mac }, i) => ({ path: ['devices', i, 'mac'], value: mac })),
    problems,
  );
  const addresses = devices.flatMap((device, i) =>
    device.addresses.map((text, j) => ({ path: ['devices', i, 'addresses', j], value: text.split('/')[0] })),
  );
  unique(addresses, problems);
}

/** Each `dev`, `iif` and `-i` must be a device of this file. */
function checkNames(
  { devices, routes = [], neighbours = [], policy = [], marks = [], snat = [], accept }: Parts,
  problems: Problems,
): void {
  if (!devices) return;
  const names = devices.map(({ name }) => name);
  const named: Place[] = [
    ...routes.map(({ dev }, i) => ({ path: ['routes', i, 'dev'], value: dev })),
    ...neighbours.map(({ dev }, i) => ({ path: ['neighbours', i, 'dev'], value: dev })),
    ...policy.map(({ iif }, i) => ({ path: ['policy', i, 'iif'], value: iif })),
    ...snat.map(({ dev }, i) => ({ path: ['snat', i, 'dev'], value: dev })),
    ...(accept?.forwardShared ?? []).map((name, i) => ({ path: ['accept', 'forwardShared', i], value: name })),
    ...marks.map(({ device }, i) => ({ path: ['marks', i], value: device?.name })),
  ];
  for (const { path, value } of named) {
    if (value === undefined || names.some((name) => namesDevice(value, name))) continue;
    problems.add(path, `no device is called ${JSON.stringify(value)}; there are ${names.join(', ')}`);
  }
}

const MAIN = 254;

function checkRoutes({ devices, routes = [] }: Parts, problems: Problems): void {
  const places = routes.map(({ to, table }, i) => ({
    path: ['routes', i, 'to'],
    value: table === MAIN ? to : `${to} in table ${table}`,
  }));
  unique(places, problems);
  routes.forEach((route, i) => {
    checkFamilies(route, ['routes', i], problems);
    if (devices) checkNextHop(route, devices, ['routes', i], problems);
  });
}

function checkFamilies({ to, via, src }: RouteConfig, path: KeyPath, problems: Problems): void {
  for (const [key, address] of [
    ['via', via],
    ['src', src],
  ] as const) {
    if (address === undefined || isIPv6(address) === isIPv6(to)) continue;
    problems.add(
      [...path, key],
      `${address} is IPv${isIPv6(address) ? 6 : 4}, but the route to ${to} is IPv${isIPv6(to) ? 6 : 4}`,
    );
  }
}

function checkNextHop(route: RouteConfig, devices: readonly DeviceConfig[], path: KeyPath, problems: Problems): void {
  const { via, src, to, onlink } = route;
  const device = devices.find(({ name }) => name === route.dev);
  const own = devices.flatMap(({ addresses }) => addresses);
  if (src !== undefined && own.length > 0 && !own.some((text) => text.split('/')[0] === src)) {
    problems.add([...path, 'src'], `${src} is not an address of a device of this file`);
  }
  if (!device || via === undefined || onlink || isIPv6(via) !== isIPv6(to)) return;
  if (!isConnected(via, device)) problems.add([...path, 'via'], offLink(via, device));
}

/**
 * The address is on a network of the device. Networks of a device without addresses are the
 * kernel's, and not known here.
 */
function isConnected(via: string, device: DeviceConfig): boolean {
  if (device.addresses.length === 0 || /^fe[89ab]/.test(via)) return true;
  return device.addresses.some((text) => contains(parsePrefix(text)!, parseIp(via)!));
}

function offLink(via: string, { name, addresses }: DeviceConfig): string {
  return `${via} is on no network of ${name} (${addresses.join(', ')}); use a router there, or add onlink: true`;
}

function checkPolicy({ policy = [], routes }: Parts, problems: Problems): void {
  policy.forEach(({ from, to, table }, i) => {
    if (from !== undefined && to !== undefined && isIPv6(from) !== isIPv6(to)) {
      problems.add(['policy', i, 'to'], `${to} and from: ${from} are of different families`);
    }
    if (table >= LOWEST_BUILT_IN || !routes || routes.some((route) => route.table === table)) return;
    problems.add(['policy', i, 'table'], `no route is in table ${table}`);
  });
}

/** Tables 253 default, 254 main and 255 local always exist. */
const LOWEST_BUILT_IN = 253;

function checkNeighbours({ neighbours = [] }: Parts, problems: Problems): void {
  const places = neighbours.map(({ ip, dev }, i) => ({ path: ['neighbours', i, 'ip'], value: `${ip} on ${dev}` }));
  unique(places, problems);
}

/** Some kinds of device serve one worker only. A worker has a CPU of its own. */
function checkWorkers({ devices = [], workers = 1, workerCpus = [] }: Parts, problems: Problems): void {
  if (workerCpus.length > 0 && workerCpus.length !== workers)
    problems.add(['workerCpus'], `${workerCpus.length} CPUs for ${workers} workers; name one for each`);
  unique(
    workerCpus.map((cpu, i) => ({ path: ['workerCpus', i], value: `CPU ${cpu}` })),
    problems,
  );
  const single = workers > 1 ? devices.find(({ kind }) => !mayHaveWorkers(kind)) : undefined;
  if (single !== undefined)
    problems.add(
      ['workers'],
      `${workers} workers need devices of kind ${forWorkers().join(' or ')}; ${single.name} is ${single.kind}`,
    );
}

function checkSnat({ snat = [] }: Parts, problems: Problems): void {
  snat.forEach(({ from, to }, i) => {
    if (isIPv6(from) !== isIPv6(to))
      problems.add(['snat', i, 'to'], `${to} and from: ${from} are of different families`);
  });
}

function checkSynProxies({ serviceOptions = [] }: Parts, problems: Problems): void {
  serviceOptions.forEach(({ service, synproxy }, i) => {
    if (synproxy === 'off' || (!isFwmark(service) && service.protocol === TCP)) return;
    problems.add(
      ['serviceOptions', i, 'synproxy'],
      `${serviceWords(service)} is no TCP service; only such a one has SYNs`,
    );
  });
}

/** TLS belongs to https, and a key to a certificate. */
function checkEtcd({ rules }: Parts, problems: Problems): void {
  if (typeof rules !== 'object') return;
  const { endpoints, tls } = rules.etcd;
  const path = ['rules', 'etcd'];
  if (tls?.key !== undefined && tls.cert === undefined)
    problems.addKey([...path, 'tls', 'key'], 'the key has no certificate; give its file as cert');
  endpoints.forEach((endpoint, i) => {
    if (tls !== undefined && endpoint.startsWith('http:'))
      problems.add([...path, 'endpoints', i], `${endpoint} is without TLS, but tls is given; write https://`);
  });
}

/** The checks after parsing: which options go together. */
import { isFwmark, SVC_ONEPACKET, SVC_PERSISTENT, UDP } from '../service/config.js';
import { type Draft, keyOf } from './draft.js';
import { fail } from './errors.js';
import { OPTION_NAMES, type OptionName } from './options/names.js';
import { LEGAL, type Legal, TUNNEL_LEGAL, TUNNEL_OPTIONS } from './options.js';
import { DEFAULT_SCHEDULER } from './values.js';

const TUNNEL_ONLY: readonly OptionName[] = ['tun-type', ...TUNNEL_OPTIONS];

/** Refuses options that do not go together, in ipvsadm's order, and fills in defaults. */
export function check(draft: Draft): void {
  checkLegal(draft.options, OPTION_NAMES, LEGAL[draft.command], `'${draft.command}' command`);
  if (draft.command === 'add-service' || draft.command === 'edit-service') checkService(draft);
  if (draft.command === 'add-server' || draft.command === 'edit-server') checkServer(draft);
  if (draft.command === 'list') checkList(draft);
}

function checkLegal(given: ReadonlySet<OptionName>, names: readonly OptionName[], legal: Legal, where: string): void {
  if (isLegal(given, legal)) return;
  let exclusive: OptionName | undefined;
  for (const name of names) {
    if (!given.has(name)) {
      if (legal.required?.includes(name)) fail(`You need to supply the '${name}' option for the ${where}`);
    } else if (legal.exclusive?.includes(name)) {
      if (exclusive) fail(`The option '${name}' conflicts with the '${exclusive}' option in the ${where}`);
      exclusive = name;
    } else if (!legal.required?.includes(name) && !legal.optional?.includes(name)) {
      fail(`Illegal '${name}' option with the ${where}`);
    }
  }
}

/** Nothing is missing, and nothing is exclusive or not known: most lines of -R. */
function isLegal(given: ReadonlySet<OptionName>, { required = [], optional = [] }: Legal): boolean {
  for (const name of given) if (!required.includes(name) && !optional.includes(name)) return false;
  return required.every((name) => given.has(name));
}

function checkService(draft: Draft): void {
  const key = keyOf(draft);
  if (!isFwmark(key)) {
    const persistent = draft.service.flags & SVC_PERSISTENT;
    if (key.port === 0 && !persistent) fail('Zero port specified for non-persistent service');
    const onePacket = draft.service.flags & SVC_ONEPACKET;
    if (onePacket && key.protocol !== UDP) fail('One-Packet Scheduling is only for UDP virtual services');
  }
  draft.service.scheduler ||= DEFAULT_SCHEDULER;
}

/**
 * Gatewaying and ipip cannot rewrite the port: the destination's becomes the service's, except for
 * a service by mark.
 */
function checkServer(draft: Draft): void {
  const { virtual, real, options } = draft;
  const { method, tunnel } = draft.server;
  if (draft.fwmark === 0 && method !== 'masq' && method !== 'fullnat') real.port = virtual.port;
  if (real.family !== virtual.family && method !== 'ipip') {
    fail('Different address family is allowed only for tunneling servers');
  }
  if (method === 'fullnat' && virtual.family === 6) fail('--full-nat is for IPv4 services');
  if (method !== 'ipip' && TUNNEL_ONLY.some((name) => options.has(name))) {
    fail('Tunnel options conflict with forward method');
  }
  checkLegal(options, TUNNEL_OPTIONS, TUNNEL_LEGAL[tunnel.type], `'${tunnel.type}' tunnel type`);
}

function checkList({ options }: Draft): void {
  const has = (...names: OptionName[]): boolean => names.some((name) => options.has(name));
  const counted = has('connection', 'timeout', 'daemon') && has('stats', 'rate', 'thresholds');
  if (counted || (has('timeout', 'daemon') && has('persistent-conn'))) fail('options conflicts in the list command');
}

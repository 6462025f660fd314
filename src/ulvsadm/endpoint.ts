/** Addresses with ports in ipvsadm's notation. */
import type { Draft, Endpoint } from './draft.js';
import type { Names } from './names.js';
import { inet4, inet6, toNumber } from './values.js';

export interface ParsedEndpoint extends Endpoint {
  family: 4 | 6;
  /** The line names a port, even if it is `0`. */
  withPort: boolean;
}

/**
 * Parses `address`, `address:port` or `[v6]:port`, with names of hosts (IPv4) and services in place
 * of numbers. Undefined if it is none of these. As in ipvsadm: digits alone are no address,
 * brackets require a port, and brackets around an IPv4 address are refused. Only names take time: a
 * promise for each of 100,000 lines would, too.
 */
export function parseEndpoint(
  text: string,
  protocol: number,
  port: number,
  names: Names,
): ParsedEndpoint | undefined | Promise<ParsedEndpoint | undefined> {
  if (/^\d*$/.test(text)) return undefined;
  const bracketed = text.startsWith('[');
  const parts = bracketed ? /^\[([^\]]*)\]:(.*)$/s.exec(text)?.slice(1) : [text];
  if (!parts) return undefined;
  const [host = '', portText] = parts;
  const v6 = inet6(host);
  if (v6) return withPort(6, v6, portText, { protocol, port, names });
  return parseFour(host, { protocol, port, names });
}

interface Context {
  protocol: number;
  port: number;
  names: Names;
}

function parseFour(text: string, context: Context): ReturnType<typeof parseEndpoint> {
  const cut = text.lastIndexOf(':');
  const host = cut < 0 ? text : text.slice(0, cut);
  const done = (address: string | undefined) =>
    address === undefined ? undefined : withPort(4, address, cut < 0 ? undefined : text.slice(cut + 1), context);
  const address = inet4(host);
  return address !== undefined || host === '' ? done(address) : context.names.hostAddress(host).then(done);
}

function withPort(
  family: 4 | 6,
  address: string,
  text: string | undefined,
  { protocol, port, names }: Context,
): ParsedEndpoint | undefined {
  if (text === undefined) return { family, address, port, withPort: false };
  const number = toNumber(text, 0, 65535);
  const found = number === -1 ? names.portNumber(text, protocol) : number;
  return found === undefined ? undefined : { family, address, port: found, withPort: true };
}

/**
 * Sets the address of -t, -u or --sctp-service. An IPv6 address resets the prefix length to 128; an
 * IPv4 address keeps an earlier -M.
 */
export function setService(draft: Draft, { family, address, port }: ParsedEndpoint): void {
  draft.virtual = { family, address, port };
  if (family === 6) draft.service.netmask = 128;
}

/** Sets the address of -r. A missing port is that of the service, if the line named it before. */
export function setServer(draft: Draft, { family, address, port, withPort }: ParsedEndpoint): void {
  draft.real = { family, address, port: withPort ? port : draft.virtual.port };
}

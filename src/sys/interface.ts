/** Network interfaces by ioctl: struct ifreq of linux/if.h, 40 bytes: 16 of name, then what the request is about. */
import { addressOf, check, close, ioctl, SystemError, socket } from './libc.js';

const IFREQ = 40;
const NAME = 16;
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCSIFADDR = 0x8916;
const SIOCGIFMTU = 0x8921;
const SIOCSIFMTU = 0x8922;
const SIOCSIFHWADDR = 0x8924;
const SIOCGIFHWADDR = 0x8927;
const SIOCETHTOOL = 0x8946;
const TUNSETIFF = 0x400454ca;

const IFF_UP = 1;
export const IFF_TUN = 0x0001;
export const IFF_TAP = 0x0002;
export const IFF_NO_PI = 0x1000;
export const ARPHRD_ETHER = 1;
export const ARPHRD_LOOPBACK = 772;

const AF_INET = 2;
const SOCK_DGRAM = 2;

function request(name: string): DataView {
  const view = new DataView(new ArrayBuffer(IFREQ));
  new TextEncoder().encodeInto(name, new Uint8Array(view.buffer, 0, NAME - 1));
  return view;
}

/** One request on a socket of its own; throws SystemError(`call`). */
function ask(view: DataView, number: number, call: string): DataView {
  const fd = check(socket(AF_INET, SOCK_DGRAM, 0), 'socket');
  try {
    check(ioctl(fd, number, new Uint8Array(view.buffer)), call);
  } finally {
    close(fd);
  }
  return view;
}

/** Makes `fd` (of /dev/net/tun) the other end of interface `name`; returns its name ('' or 'x%d' let the kernel choose). */
export function tunSetInterface(fd: number, name: string, flags: number): string {
  const view = request(name);
  view.setUint16(NAME, flags, true);
  check(ioctl(fd, TUNSETIFF, new Uint8Array(view.buffer)), 'TUNSETIFF');
  return new TextDecoder().decode(new Uint8Array(view.buffer, 0, NAME)).replace(/\0.*$/, '');
}

export function interfaceMtu(name: string): number {
  return ask(request(name), SIOCGIFMTU, 'SIOCGIFMTU').getInt32(NAME, true);
}

export function setInterfaceMtu(name: string, mtu: number): void {
  const view = request(name);
  view.setInt32(NAME, mtu, true);
  ask(view, SIOCSIFMTU, 'SIOCSIFMTU');
}

/** The hardware type (ARPHRD_…) and, for Ethernet, the six bytes of the address. */
export function interfaceHardware(name: string): { type: number; mac: Uint8Array } {
  const view = ask(request(name), SIOCGIFHWADDR, 'SIOCGIFHWADDR');
  return { type: view.getUint16(NAME, true), mac: new Uint8Array(view.buffer, NAME + 2, 6).slice() };
}

/** Sets the Ethernet address: six bytes. */
export function setInterfaceMac(name: string, mac: Uint8Array): void {
  const view = request(name);
  view.setUint16(NAME, ARPHRD_ETHER, true);
  new Uint8Array(view.buffer).set(mac.subarray(0, 6), NAME + 2);
  ask(view, SIOCSIFHWADDR, 'SIOCSIFHWADDR');
}

export function setInterfaceUp(name: string): void {
  const view = ask(request(name), SIOCGIFFLAGS, 'SIOCGIFFLAGS');
  view.setUint16(NAME, view.getUint16(NAME, true) | IFF_UP, true);
  ask(view, SIOCSIFFLAGS, 'SIOCSIFFLAGS');
}

/** Gives it an IPv4 address (a number), on a point-to-point interface with prefix length 32. */
export function setInterfaceAddress(name: string, address: number): void {
  const view = request(name);
  view.setUint16(NAME, AF_INET, true);
  view.setUint32(NAME + 4, address);
  ask(view, SIOCSIFADDR, 'SIOCSIFADDR');
}

/** One of ethtool's get or set commands (struct ethtool_value); returns the value. */
export function ethtoolValue(name: string, command: number, value = 0): number {
  const data = new Uint32Array(new ArrayBuffer(8));
  data[0] = command;
  data[1] = value;
  const view = request(name);
  view.setBigUint64(NAME, addressOf(data), true);
  ask(view, SIOCETHTOOL, 'SIOCETHTOOL');
  return data[1]!;
}

const ETHTOOL_GDRVINFO = 0x03;
const ETHTOOL_GCHANNELS = 0x3c;

/** One of ethtool's requests that fill a structure of `size` bytes. */
function ethtoolStruct(name: string, command: number, size: number): DataView {
  const data = new DataView(new ArrayBuffer(size));
  data.setUint32(0, command, true);
  const view = request(name);
  view.setBigUint64(NAME, addressOf(new Uint8Array(data.buffer)), true);
  ask(view, SIOCETHTOOL, 'SIOCETHTOOL');
  return data;
}

/** The driver's name (veth, ixgbe …); '' when the interface does not say. struct ethtool_drvinfo. */
export function interfaceDriver(name: string): string {
  try {
    const data = ethtoolStruct(name, ETHTOOL_GDRVINFO, 196);
    return new TextDecoder().decode(new Uint8Array(data.buffer, 4, 32)).replace(/\0.*$/s, '');
  } catch (error) {
    if (error instanceof SystemError) return '';
    throw error;
  }
}

/** How many queues frames come in by; 1 when the driver does not say. struct ethtool_channels. */
export function receiveQueues(name: string): number {
  try {
    const data = ethtoolStruct(name, ETHTOOL_GCHANNELS, 36);
    const [rx, combined] = [data.getUint32(20, true), data.getUint32(32, true)];
    return Math.max(1, rx + combined);
  } catch (error) {
    if (error instanceof SystemError) return 1;
    throw error;
  }
}

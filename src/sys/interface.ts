/**
 * Network interfaces by ioctl (netdevice(7)). struct ifreq of linux/if.h has 40 bytes: 16 of the
 * name, then the value of the request. All functions throw a SystemError that names the request.
 */

import { check, close, ioctl, ioctlValue, SystemError, socket } from './libc.js';
import { addressOf } from './memory.js';

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
const TUNSETOFFLOAD = 0x400454d0;

const IFF_UP = 1;
export const IFF_TUN = 0x0001;
export const IFF_TAP = 0x0002;
export const IFF_NO_PI = 0x1000;
export const IFF_VNET_HDR = 0x4000;
export const ARPHRD_ETHER = 1;
export const ARPHRD_LOOPBACK = 772;

const AF_INET = 2;
const SOCK_DGRAM = 2;

function request(name: string): DataView {
  const view = new DataView(new ArrayBuffer(IFREQ));
  new TextEncoder().encodeInto(name, new Uint8Array(view.buffer, 0, NAME - 1));
  return view;
}

/** Makes one request on a socket of its own. Throws a SystemError(`call`). */
function ask(view: DataView, number: number, call: string): DataView {
  const fd = check(socket(AF_INET, SOCK_DGRAM, 0), 'socket');
  try {
    check(ioctl(fd, number, new Uint8Array(view.buffer)), call);
  } finally {
    close(fd);
  }
  return view;
}

/**
 * Connects `fd`, an open /dev/net/tun, to interface `name`, which is created if it does not exist.
 * Returns the name; with '' or 'x%d' the kernel numbers the interface.
 */
export function tunSetInterface(fd: number, name: string, flags: number): string {
  const view = request(name);
  view.setUint16(NAME, flags, true);
  check(ioctl(fd, TUNSETIFF, new Uint8Array(view.buffer)), 'TUNSETIFF');
  return new TextDecoder().decode(new Uint8Array(view.buffer, 0, NAME)).replace(/\0.*$/, '');
}

/** Bits of TUNSETOFFLOAD (linux/if_tun.h). */
export const TUN_F_CSUM = 1;
export const TUN_F_TSO4 = 2;
export const TUN_F_TSO6 = 4;
export const TUN_F_TSO_ECN = 8;
/** Linux 6.2 and later. */
export const TUN_F_USO4 = 0x20;
export const TUN_F_USO6 = 0x40;

/**
 * Says what the process behind `fd` takes from the interface: partial checksums, GSO packets.
 * Throws a SystemError, EINVAL for a bit that the kernel does not know.
 */
export function tunSetOffload(fd: number, bits: number): void {
  check(ioctlValue(fd, TUNSETOFFLOAD, bits), 'TUNSETOFFLOAD');
}

/** The MTU in bytes. */
export function interfaceMtu(name: string): number {
  return ask(request(name), SIOCGIFMTU, 'SIOCGIFMTU').getInt32(NAME, true);
}

/** Sets the MTU, in bytes. */
export function setInterfaceMtu(name: string, mtu: number): void {
  const view = request(name);
  view.setInt32(NAME, mtu, true);
  ask(view, SIOCSIFMTU, 'SIOCSIFMTU');
}

/** The hardware type (ARPHRD_*) and the first six bytes of the hardware address. */
export function interfaceHardware(name: string): { type: number; mac: Uint8Array } {
  const view = ask(request(name), SIOCGIFHWADDR, 'SIOCGIFHWADDR');
  return { type: view.getUint16(NAME, true), mac: new Uint8Array(view.buffer, NAME + 2, 6).slice() };
}

/** Sets the Ethernet address, six bytes. */
export function setInterfaceMac(name: string, mac: Uint8Array): void {
  const view = request(name);
  view.setUint16(NAME, ARPHRD_ETHER, true);
  new Uint8Array(view.buffer).set(mac.subarray(0, 6), NAME + 2);
  ask(view, SIOCSIFHWADDR, 'SIOCSIFHWADDR');
}

/** Sets IFF_UP. */
export function setInterfaceUp(name: string): void {
  const view = ask(request(name), SIOCGIFFLAGS, 'SIOCGIFFLAGS');
  view.setUint16(NAME, view.getUint16(NAME, true) | IFF_UP, true);
  ask(view, SIOCSIFFLAGS, 'SIOCSIFFLAGS');
}

/**
 * Sets the IPv4 address, a number in host order. A point-to-point interface gets prefix length 32.
 */
export function setInterfaceAddress(name: string, address: number): void {
  const view = request(name);
  view.setUint16(NAME, AF_INET, true);
  view.setUint32(NAME + 4, address);
  ask(view, SIOCSIFADDR, 'SIOCSIFADDR');
}

/** Runs an ETHTOOL_G* or ETHTOOL_S* command (struct ethtool_value). Returns the value. */
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

/** Runs an ethtool command that fills a structure of `size` bytes. */
function ethtoolStruct(name: string, command: number, size: number): DataView {
  const data = new DataView(new ArrayBuffer(size));
  data.setUint32(0, command, true);
  const view = request(name);
  view.setBigUint64(NAME, addressOf(new Uint8Array(data.buffer)), true);
  ask(view, SIOCETHTOOL, 'SIOCETHTOOL');
  return data;
}

/**
 * The name of the driver (veth, ixgbe …), of struct ethtool_drvinfo; '' when the driver does not
 * say.
 */
export function interfaceDriver(name: string): string {
  try {
    const data = ethtoolStruct(name, ETHTOOL_GDRVINFO, 196);
    return new TextDecoder().decode(new Uint8Array(data.buffer, 4, 32)).replace(/\0.*$/s, '');
  } catch (error) {
    if (error instanceof SystemError) return '';
    throw error;
  }
}

/**
 * How many receive queues the interface has, of struct ethtool_channels; 1 when the driver does not
 * say.
 */
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

import { ARPHRD_ETHER, ARPHRD_LOOPBACK, interfaceHardware } from '../sys/interface.js';
import { ifNameToIndex } from '../sys/libc.js';
import { DeviceError } from './error.js';

/** The index of an Ethernet interface. Throws a DeviceError when there is none of this name, or it carries something else. */
export function ethernetIndex(name: string): number {
  const ifindex = ifNameToIndex(name);
  if (ifindex === 0) throw new DeviceError(name, 'no such network interface', "'ip link' lists those there are");
  const { type } = interfaceHardware(name);
  if (type !== ARPHRD_ETHER && type !== ARPHRD_LOOPBACK)
    throw new DeviceError(name, `not an Ethernet interface (hardware type ${type})`, 'use a tap or veth device');
  return ifindex;
}

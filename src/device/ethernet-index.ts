/** Looks up the index of an Ethernet interface by its name. */
import { ARPHRD_ETHER, ARPHRD_LOOPBACK, interfaceHardware } from '../sys/interface.js';
import { ifNameToIndex } from '../sys/libc.js';
import { DeviceError } from './error.js';

/**
 * The index (ifindex) of an Ethernet or loopback interface. Throws a DeviceError when there is no
 * interface of this name, or when it is of another hardware type (ARPHRD_*).
 */
export function ethernetIndex(name: string): number {
  const ifindex = ifNameToIndex(name);
  if (ifindex === 0) throw new DeviceError(name, 'no such network interface', "'ip link' lists the interfaces");
  const { type } = interfaceHardware(name);
  if (type !== ARPHRD_ETHER && type !== ARPHRD_LOOPBACK)
    throw new DeviceError(name, `not an Ethernet interface (hardware type ${type})`, 'use a tap or veth device');
  return ifindex;
}

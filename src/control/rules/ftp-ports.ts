/** Services with FTP control connections. */
import { type AddressKey, TCP } from '../../service/config.js';

const CONTROL_PORT = 21;

/**
 * The service has FTP control connections. Their data connections have other ports, by the helper
 * or by persistence (docs/ipvs-reference.md, 4). `ftp`: ports of the helper.
 */
export function isFtp({ protocol, port }: AddressKey, ftp: readonly number[]): boolean {
  return protocol === TCP && (port === CONTROL_PORT || ftp.includes(port));
}

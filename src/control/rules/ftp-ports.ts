import { type AddressKey, TCP } from '../../service/config.js';

const CONTROL_PORT = 21;

/** FTP's data connections have other ports, by the helper or by persistence (docs/ipvs-reference.md section 4). `ftp`: the helper's ports. */
export function isFtp({ protocol, port }: AddressKey, ftp: readonly number[]): boolean {
  return protocol === TCP && (port === CONTROL_PORT || ftp.includes(port));
}

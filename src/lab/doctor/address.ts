/** IPv4 addresses and networks as text. */
import { mask4, parse4 } from '../../wire/address.js';

export function within(address: string, network: string, length: number): boolean {
  const one = parse4(address);
  const other = parse4(network);
  if (one === undefined || other === undefined) return false;
  const mask = mask4(length);
  return (one & mask) === (other & mask);
}

/** `10.9.0.0/24` -> its two parts; a bare address is a /32, `default` and `all` everything. */
export function network(text: string): { to: string; length: number } {
  if (text === 'default' || text === 'all') return { to: '0.0.0.0', length: 0 };
  const [to = '', length = '32'] = text.split('/');
  return { to, length: Number(length) };
}

/**
 * The entry point `ulvs/wire`: protocol formats, one namespace each. Three kinds of functions, in
 * every namespace alike:
 *
 *     encode(fields)       a header with its payload as new bytes; absent lengths and checksums are computed
 *     decode(bytes)        the fields, or in one line why the bytes are none (isBad tells); never throws
 *     field(view, offset)  one field in place; `offset` is where the header begins, set… writes the
 *                          field, rewrite… mends the checksums, too
 *
 * Numbers are in host order, bytes in network order. Lengths are bytes. An IPv4 address is a signed
 * int32 (parse4, format4), an IPv6 address an Int32Array of four such words (parse6, format6), a
 * MAC address [first 16 bits, last 32 bits signed] (parseMac). Sequence numbers of TCP are signed
 * int32. Accessors do not check lengths: decode first, or expect a RangeError of the DataView.
 */
export * as address from '../wire/address.js';
export * as arp from '../wire/arp.js';
export * as checksum from '../wire/checksum.js';
export { crc32c } from '../wire/crc32c.js';
export { concat, type Decoded, isBad, viewOf } from '../wire/decoded.js';
export * as ethernet from '../wire/ethernet.js';
export * as extensions from '../wire/extensions.js';
export * as icmp from '../wire/icmp.js';
export * as icmp6 from '../wire/icmp6.js';
export * as ipv4 from '../wire/ipv4.js';
export * as ipv6 from '../wire/ipv6.js';
export * as neighbour from '../wire/neighbour.js';
export * as options from '../wire/options.js';
export { printFrame, printPacket } from '../wire/print.js';
export * as sctp from '../wire/sctp.js';
export * as tcp from '../wire/tcp.js';
export * as udp from '../wire/udp.js';
export * as vlan from '../wire/vlan.js';

// @ts-check
// A director as a function: frames in + now -> frames out + verdicts, without root and without a network.
// `npm install ulvs` in a folder, then `node director-as-function.mjs` there.
import { createDirector, DROP_REASONS, parseConfig } from 'ulvs';
import { checksum, ethernet, ipv4, printFrame, tcp } from 'ulvs/wire';

const yaml = `
devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24] }
  - { name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.1.254/24] }
neighbours:
  - { ip: 192.168.1.11, dev: eth1, mac: 02:00:00:00:a0:11 }
rules: |
  -A -t 10.0.0.100:80 -s rr
  -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m
`;
const director = await createDirector(parseConfig(yaml, 'example.yaml'));

// A SYN from 10.0.0.1:40001 to the VIP 10.0.0.100, at a port.
function syn(/** @type {number} */ dport) {
  const [src, dst] = [0x0a000001, 0x0a000064];
  const segment = tcp.encode({ sport: 40001, dport, flags: tcp.SYN }, checksum.sum32(src) + checksum.sum32(dst));
  const packet = ipv4.encode({ src, dst, protocol: ipv4.TCP, payload: segment });
  return ethernet.encode({ dst: [0x0200, 0x0d00], src: [0x0200, 0xc001], type: ethernet.TYPE_IPV4, payload: packet });
}

for (const port of [80, 81]) {
  const { verdict, drop, sent } = director.receive('eth0', syn(port));
  console.log(`port ${port}: ${verdict}`, drop ? `(${drop}: ${DROP_REASONS.get(drop)})` : '');
  for (const { device, bytes } of sent) console.log(`  out ${device}: ${printFrame(bytes)}`);
}

console.log('at 0 s:', director.connections());
director.advance(60_100); // milliseconds; a half-open connection ends after 60 s
console.log(`at ${director.now / 1000} s:`, director.connections());
console.log((await director.ulvsadm(['-Ln', '--stats'])).out);

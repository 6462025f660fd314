/** More scenes from random scenarios: restarts, sleeping connections, narrow tunnels. */
import { look, segment } from './life.js';
import { cut, send, udp } from './pieces.js';
import { ip, type Play, type Scene, VIP, VIP6 } from './stage.js';

const CLIENT = '10.0.0.1';
const CLIENT6 = '2001:db8::1';
const ONE = '192.168.1.11';
const ONE6 = '2001:db8:1::11';

function stats(play: Play): void {
  look(play);
  play.after(4000);
  play.run('ipvsadm -Ln --stats');
}

const late: Scene = {
  name: 'found-restart-late',
  about:
    'A SYN without time to live, on the connection of a quiesced tunnel, scheduled to NAT: the error counts for the old one.',
  sysctl: { expire_nodest_conn: 1 },
  rules: [`-A -t ${VIP}:80 -s fo`, `-a -t ${VIP}:80 -r ${ONE}:8080 -m`, `-a -t ${VIP}:80 -r 10.20.0.11 -i -w 2`],
  play: (play) => {
    segment(play, 5000, 'S');
    play.run(`ipvsadm -e -t ${VIP}:80 -r 10.20.0.11 -i -w 0`);
    play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP, { ttl: 1 }).tcp({ sport: 5000, dport: 80, flags: 'S' }));
    stats(play);
  },
};

const dormant: Scene[] = (
  [
    ['', CLIENT, VIP, ONE],
    ['6', CLIENT6, VIP6, ONE6],
  ] as const
).map(([family, client, vip, one]) => {
  const [virtual, real] = family === '' ? [vip, one] : [`[${vip}]`, `[${one}]`];
  const rules = [`-A -t ${virtual}:80 -s rr`, `-a -t ${virtual}:80 -r ${real}:8080 -m`];
  return {
    name: `found-last-service${family}`,
    about:
      'The last service of a family goes and comes back: meanwhile its connections are nobody, fragments cross as they are.',
    ...(family === '6' && { six: true }),
    ownVip: true,
    rules,
    play: (play: Play) => dormancy(play, client, vip, one, virtual, rules),
  };
});

function dormancy(
  play: Play,
  client: string,
  vip: string,
  one: string,
  virtual: string,
  rules: readonly string[],
): void {
  const both = (id: number) => {
    play.from(client, (eth) => ip(eth, client, vip).tcp({ sport: 5000, dport: 80, flags: 'A', seq: 5 }));
    play.from(one, (eth) => ip(eth, one, client).tcp({ sport: 8080, dport: 5000, flags: 'A', seq: 6 }));
    const whole = { host: one, src: one, dst: client, id, protocol: 17, body: udp(one, client, 9, 10, 1800) };
    send(play, whole, cut(whole, 1440).toReversed());
  };
  play.from(client, (eth) => ip(eth, client, vip).tcp({ sport: 5000, dport: 80, flags: 'S', seq: 4 }));
  both(100);
  play.run(`ipvsadm -D -t ${virtual}:80`);
  both(101);
  play.run('ipvsadm -Lnc');
  for (const rule of rules) play.run(`ipvsadm ${rule}`);
  both(102);
  look(play);
}

const cutTunnel: Scene = {
  name: 'found-tunnel-4in6-cut',
  about: 'IPv4 without DF in a tunnel of IPv6 that is too narrow: cut outside.',
  six: true,
  rules: [`-A -u ${VIP}:53 -s rr`, `-a -u ${VIP}:53 -r [${ONE6}]:53 -i`],
  play: (play) => {
    for (const size of [1432, 1433, 1472])
      play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP, { df: false }).udp({ sport: 5000, dport: 53 }).payload(size));
    look(play);
  },
};

const narrow: Scene = {
  name: 'found-path-masq',
  about: "A router's word about the path to a tunnel's end holds for NAT to the same address, not for direct routing.",
  rules: [
    `-A -t ${VIP}:80 -s rr`,
    `-a -t ${VIP}:80 -r ${ONE} -i`,
    `-A -t ${VIP}:81 -s rr`,
    `-a -t ${VIP}:81 -r ${ONE}:8081 -m`,
    `-A -t ${VIP}:82 -s rr`,
    `-a -t ${VIP}:82 -r ${ONE} -g`,
  ],
  play: (play) => {
    for (const dport of [80, 81, 82]) segment(play, 5000, 'S', dport);
    play.from('192.168.1.1', (eth) => {
      const error = ip(eth, '192.168.1.1', '192.168.1.254').icmp({ type: 3, code: 4, mtu: 1300 });
      const outer = ip(error, '192.168.1.254', ONE, { ttl: 60, protocol: 4 });
      return ip(outer, CLIENT, VIP, { ttl: 63 }).tcp({ sport: 5000, dport: 80, flags: 'A', seq: 1 });
    });
    for (const df of [true, false])
      for (const dport of [80, 81, 82])
        play.from(CLIENT, (eth) =>
          ip(eth, CLIENT, VIP, { df }).tcp({ sport: 5000, dport, flags: 'A', seq: 6 }).payload(1300),
        );
    stats(play);
  },
};

export const foundWideScenes: Scene[] = [late, ...dormant, cutTunnel, narrow];

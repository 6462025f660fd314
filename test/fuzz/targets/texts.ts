/** Sound texts from which the text targets begin, and the words that occur in them. */

export const CONF = `
devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24, "2001:db8::fe/64"], mtu: 1500 }
neighbours: [ { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:c0:01 } ]
routes: [ { to: 11.0.0.0/8, via: 10.0.0.1, dev: eth0 } ]
marks: [ "-d 10.0.0.104/29 -p tcp --dport 80 -j MARK --set-mark 7" ]
accept: { arp: true, ranges: [10.0.0.104/29], sources: [192.168.1.240] }
snat: [ { from: 192.168.1.0/24, to: 10.0.0.200 } ]
sysctl: { drop_entry: 1, conn_reuse_mode: 0 }
timeouts: { tcp: 5, tcpfin: 2, udp: 3 }
connections: { max: 40 }
rules: |
  -A -t 10.0.0.100:80 -s rr
  -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m
`;

export const KEYS = [
  'devices:',
  'neighbours:',
  'routes:',
  'marks:',
  'accept:',
  'snat:',
  'sysctl:',
  'timeouts:',
  'connections:',
  'rules: |',
  'checks:',
  'state:',
  'workers:',
  'sync:',
  'fleet:',
  'metrics:',
  'helpers:',
  '\n',
  '- ',
  '{ ',
  ' }',
  '[',
  ']',
  ': ',
  ', ',
  '&a ',
  '*a',
  '<<: ',
  '!!binary ',
  '|\n',
  '>\n',
  '"',
  "'",
  '#',
  '---\n',
  '0x',
  '1e9',
  '.nan',
  '~',
  '10.0.0.1',
  '::1',
  '/33',
]; // prettier-ignore

export const LVSCONF = `LVSCONF_FORMAT=1.1
LVS_TYPE=VS_DR
VIP=eth0:110 lvs 255.255.255.255 lvs
DIP=eth1 dip 192.168.1.0 255.255.255.0 192.168.1.255
DIP=eth0:10 10.0.0.9
DIRECTOR_GW=rs1
SERVICE=t telnet rr rs1 rs2
SERVICE=t 80 wlc rs1:8080,2 192.168.1.12:8081
SERVER_VIP_DEVICE=lo:0
SERVER_NET_DEVICE=eth0
SERVER_GW=10.0.0.1
# end
`;

/** Command lines of ipvsadm, one a line. */
export const COMMANDS = `-A -t 10.0.0.100:80 -s rr
-A -u 10.0.0.100:53 -s wlc -p 300 -M 255.255.255.0 -o
-A -f 7 -s sh -b sh-fallback,sh-port
-A -t [2001:db8::100]:http -s mh --pe sip
-E -t 10.0.0.100:80 -s wrr
-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -w 5 -x 10 -y 5
-a -t 10.0.0.100:80 -r 192.168.1.12 -i --tun-type gue --tun-port 6080 --tun-csum
-a -t 10.0.0.100:80 -r 192.168.1.13 --full-nat
-e -f 7 -r 192.168.1.12 -g -w 0
-d -t 10.0.0.100:80 -r 192.168.1.11:8080
-D -t 10.0.0.100:80
-Z
-C
--set 900 120 300
-L -n --stats --rate --exact
-Lnc --sort
-S -n
--add-service --tcp-service 10.0.0.100:ftp --scheduler lc --persistent
--start-daemon master --mcast-interface eth0 --syncid 7
-h
-v
`;

export const COMMAND_WORDS = [
  ' -A',
  ' -E',
  ' -D',
  ' -C',
  ' -R',
  ' -S',
  ' -a',
  ' -e',
  ' -d',
  ' -L',
  ' -Z',
  ' --set',
  ' -t ',
  ' -u ',
  ' -f ',
  ' -s ',
  ' -p',
  ' -M ',
  ' -r ',
  ' -g',
  ' -i',
  ' -m',
  ' -w ',
  ' -x ',
  ' -y ',
  ' -n',
  ' -c',
  ' -o',
  ' -b ',
  ' --pe ',
  ' --stats',
  ' --rate',
  ' -6',
  ' --thresholds',
  ' --tun-type ',
  ' --tun-port ',
  '10.0.0.100:80',
  '[::1]:80',
  '192.168.1.11',
  '4294967296',
  '-1',
  '0x10',
  '\n',
  ' --sctp-service ',
  ' --persistent-conn',
  ' --sched-flags ',
  ' --json',
  ' --exact',
  ' --',
  ' -',
  ' --=',
  ' --full-nat',
]; // prettier-ignore

/** What ip, ss, nft, ethtool and /proc/sys print, in the order of the doctor's parsers. */
export const PRINTED: readonly string[] = [
  '[{"ifname":"eth0","address":"02:00:00:00:00:01","mtu":1500,"flags":["UP"],"linkinfo":{"info_kind":"veth"},' +
    '"addr_info":[{"local":"10.0.0.1","prefixlen":24}]}]',
  '[{"dst":"default","gateway":"10.0.0.254","dev":"eth0","metric":5},{"type":"local","dst":"10.0.0.1","table":"local"}]',
  '[{"priority":0,"src":"all","table":"local"},{"priority":9,"src":"10.0.0.0","srclen":8,"table":100,"fwmark":"0x1"}]',
  'tcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:*\ntcp LISTEN 0 128 [::]%eth0:80 [::]:*\nudp UNCONN 0 0 127.0.0.1:53 *:*\n',
  '/proc/sys/net/ipv4/ip_forward:1\n/proc/sys/net/ipv4/conf/eth0/rp_filter:2\n/proc/sys/net/ipv6/conf/all/forwarding:0\n',
  'eth0 on\nlo off\ntunl0 \n',
  '{"nftables":[{"metainfo":{}},{"chain":{"family":"inet","table":"f","name":"in","hook":"input","policy":"drop"}},' +
    '{"rule":{"family":"inet","table":"f","chain":"in","handle":4,"expr":[{"match":{"op":"==","left":{"payload":' +
    '{"protocol":"tcp","field":"dport"}},"right":80}},{"accept":null}]}}]}',
];

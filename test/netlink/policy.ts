/** Lines for `ip -batch`: routes and rules of every kind. */
export const ROUTES4 = [
  'route add 10.20.0.0/16 via 10.1.0.2 mtu 1400 metric 50',
  'route add 10.20.0.0/16 via 10.2.0.2 metric 60 src 10.1.0.1 proto static',
  'route add default via 10.1.0.2 table 100',
  'route add 10.21.0.0/24 table 1000 nexthop via 10.1.0.2 weight 3 nexthop via 10.2.0.2 weight 200',
  'route add blackhole 10.22.0.0/24',
  'route add unreachable 10.22.1.0/24 table 100',
  'route add prohibit 10.22.2.7 table 100 proto bgp',
  'route add throw 10.22.3.0/24 table 100',
  'route add local 10.23.0.0/16 dev lo table 100',
  'route add 10.24.0.0/16 via 172.31.0.1 dev va1 onlink',
  'route add 10.25.0.0/16 via inet6 2001:db8:1::2 dev va0',
  'route add 10.26.0.0/16 dev va0 scope link tos 0x10',
];
export const ROUTES6 = [
  'route add 2001:db8:20::/48 via 2001:db8:1::2 mtu 1400',
  'route add default via 2001:db8:1::2 table 100 metric 7',
  'route add 2001:db8:21::/48 nexthop via 2001:db8:1::2 weight 3 nexthop via 2001:db8:2::2 weight 4',
  'route add blackhole 2001:db8:22::/48',
  'route add unreachable 2001:db8:22:1::/64 table 1000',
  'route add prohibit 2001:db8:22:2::7 table 100',
  'route add throw 2001:db8:22:3::/64 table 100',
  'route add local 2001:db8:23::/48 dev lo table 100',
  'route add default from 2001:db8:77::/48 via 2001:db8:2::2 dev va1',
];
export const RULES = [
  'rule add pref 100 fwmark 0x3/0xff lookup 100',
  'rule add pref 101 iif va0 fwmark 7 lookup 1000',
  'rule add pref 102 uidrange 10-20 ipproto tcp sport 5 dport 80-90 lookup 77 suppress_prefixlength 0',
  'rule add pref 103 goto 32766',
  'rule add pref 104 oif va1 nop',
  'rule add pref 105 fwmark 9 blackhole',
  'rule add pref 106 fwmark 10 unreachable',
  'rule add pref 107 fwmark 11 prohibit',
  'rule add pref 108 iif nosuch0 lookup main suppress_ifgroup 5',
];
export const RULES4 = [
  'rule add pref 200 from 10.1.0.0/16 to 10.2.0.1 tos 0x10 lookup 100',
  'rule add pref 201 not from 10.9.9.9 lookup 5',
];
export const RULES6 = [
  'rule add pref 200 from 2001:db8:1::/48 to 2001:db8:2::1 lookup 100',
  'rule add pref 201 not from 2001:db8:9::9 lookup 5',
];

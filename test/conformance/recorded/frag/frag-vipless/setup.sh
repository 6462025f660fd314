# Fragments to a marked address that no interface has.
sysctl -qw net.ipv4.ip_forward=1
ip -batch - <<'I'
addr add 10.0.0.254/24 dev eth0
addr add 192.168.1.254/24 dev eth1
addr add 172.16.0.254/24 dev eth2
neigh add 10.0.0.1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
neigh add 10.0.0.2 lladdr 02:00:00:00:c0:02 dev eth0 nud permanent
neigh add 10.0.0.3 lladdr 02:00:00:00:c0:03 dev eth0 nud permanent
neigh add 192.168.1.11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
neigh add 192.168.1.12 lladdr 02:00:00:00:a0:12 dev eth1 nud permanent
neigh add 192.168.1.1 lladdr 02:00:00:00:a0:01 dev eth1 nud permanent
neigh add 172.16.0.1 lladdr 02:00:00:00:b0:01 dev eth2 nud permanent
route add 10.20.0.0/16 via 172.16.0.1
I
ip rule add fwmark 1 table 100
ip route add local 0/0 dev lo table 100
nft 'add table ip m; add chain ip m p { type filter hook prerouting priority mangle; }; add rule ip m p iif eth0 ip daddr 10.20.7.0/24 meta mark set 1'
ipvsadm -R <<'R'
-A -f 1 -s rr
-a -f 1 -r 192.168.1.11 -m
R

# Random scenario 1038, wide.
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth1.disable_ipv6=0 net.ipv6.conf.eth2.disable_ipv6=0 net.ipv6.conf.all.forwarding=1 net.ipv4.vs.sloppy_sctp=1 net.ipv4.vs.snat_reroute=0 net.ipv4.vs.cache_bypass=1 net.ipv4.vs.ignore_tunneled=1 net.ipv4.vs.am_droprate=2 net.ipv4.vs.drop_packet=3
ip -batch - <<'I'
addr add 10.0.0.254/24 dev eth0
addr add 2001:db8::254/64 dev eth0
addr add 192.168.1.254/24 dev eth1
addr add 2001:db8:1::254/64 dev eth1
addr add 172.16.0.254/24 dev eth2
addr add 2001:db8:2::254/64 dev eth2
addr add 10.0.0.100/32 dev eth0
addr add 2001:db8::100/128 dev eth0
neigh add 10.0.0.1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
neigh add 10.0.0.2 lladdr 02:00:00:00:c0:02 dev eth0 nud permanent
neigh add 10.0.0.3 lladdr 02:00:00:00:c0:03 dev eth0 nud permanent
neigh add 192.168.1.11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
neigh add 192.168.1.12 lladdr 02:00:00:00:a0:12 dev eth1 nud permanent
neigh add 192.168.1.1 lladdr 02:00:00:00:a0:01 dev eth1 nud permanent
neigh add 172.16.0.1 lladdr 02:00:00:00:b0:01 dev eth2 nud permanent
neigh add 2001:db8::1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
neigh add 2001:db8::3 lladdr 02:00:00:00:c0:03 dev eth0 nud permanent
neigh add 2001:db8:1::11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
neigh add 2001:db8:1::12 lladdr 02:00:00:00:a0:12 dev eth1 nud permanent
neigh add 2001:db8:1::1 lladdr 02:00:00:00:a0:01 dev eth1 nud permanent
route add 10.20.0.0/16 via 172.16.0.1
I
nft 'add table ip m; add chain ip m p { type filter hook prerouting priority mangle; }; add rule ip m p ip daddr 10.0.0.100 udp dport 90-92 meta mark set 1'
ipvsadm -R <<'R'
-A -f 1 -s ovf
-a -f 1 -r 192.168.1.11 -i -w 3
-a -f 1 -r 192.168.1.12 -m -w 3 -x 3
-A --sctp-service [2001:db8::100]:80 -s lblcr
-a --sctp-service [2001:db8::100]:80 -r [2001:db8:1::11]:80 -g -w 1
-a --sctp-service [2001:db8::100]:80 -r [2001:db8:1::12]:80 -g -w 1
-A -u 10.0.0.100:81 -s mh -b mh-port,mh-fallback
-a -u 10.0.0.100:81 -r 192.168.1.11:8081 -m -w 0
-a -u 10.0.0.100:81 -r 192.168.1.12:81 -i --tun-type gue --tun-port 6080 --tun-csum -w 2 -x 6 -y 5
-A -t [2001:db8::100]:82 -s sed -p 300 -M 64
-a -t [2001:db8::100]:82 -r [2001:db8:1::12]:8082 -m -w 0
R

# Connections of every kind that -L -c prints: persistent with an engine, marked, IPv6, SCTP, one-packet.
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth1.disable_ipv6=0 net.ipv6.conf.all.forwarding=1
ip addr add 10.0.0.254/24 dev eth0
ip addr add 10.0.0.100/32 dev eth0
ip addr add 192.168.1.254/24 dev eth1
ip addr add 2001:db8:0:1::254/64 dev eth0
ip addr add 2001:db8:0:1::100/128 dev eth0
ip addr add 2001:db8:0:2::254/64 dev eth1
ip neigh add 10.0.0.1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
ip neigh add 192.168.1.11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
ip neigh add 2001:db8:0:1::1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
ip neigh add 2001:db8:0:2::11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
nft 'table ip m {
  chain c {
    type filter hook prerouting priority mangle;
    ip daddr 10.0.0.100 tcp dport 8000-8100 meta mark set 7
  }
}'
ipvsadm -R <<'R'
-A -t 10.0.0.100:80 -s rr
-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m
-A -u 10.0.0.100:5060 -s rr -p 100 --pe sip
-a -u 10.0.0.100:5060 -r 192.168.1.11:5060 -m
-A -f 7 -s rr -p 200 -M 255.255.255.0
-a -f 7 -r 192.168.1.11:0 -g
-A -t [2001:db8:0:1::100]:443 -s rr -p 8000
-a -t [2001:db8:0:1::100]:443 -r [2001:db8:0:2::11]:443 -m
-A --sctp-service 10.0.0.100:99 -s rr
-a --sctp-service 10.0.0.100:99 -r 192.168.1.11:99 -m
R

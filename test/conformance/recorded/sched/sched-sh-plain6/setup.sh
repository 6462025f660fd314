# sh: clients from two ports each, destinations quiesced and removed.
sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth1.disable_ipv6=0 net.ipv6.conf.all.forwarding=1
ip -batch - <<'I'
addr add 2001:db8::254/64 dev eth0
addr add 2001:db8:1::254/64 dev eth1
addr add 2001:db8::100/128 dev eth0
neigh add 2001:db8:1::11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
neigh add 2001:db8:1::12 lladdr 02:00:00:00:a0:12 dev eth1 nud permanent
neigh add 2001:db8:1::13 lladdr 02:00:00:00:a0:13 dev eth1 nud permanent
neigh add 2001:db8:1::14 lladdr 02:00:00:00:a0:14 dev eth1 nud permanent
neigh add 2001:db8:1::15 lladdr 02:00:00:00:a0:15 dev eth1 nud permanent
neigh add 2001:db8:1::16 lladdr 02:00:00:00:a0:16 dev eth1 nud permanent
neigh add 2001:db8:1::17 lladdr 02:00:00:00:a0:17 dev eth1 nud permanent
neigh add 2001:db8:1::18 lladdr 02:00:00:00:a0:18 dev eth1 nud permanent
neigh add 2001:db8::1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
route add 2001:db8:98::/64 via 2001:db8::1
I
ipvsadm -R <<'R'
-A -t [2001:db8::100]:80 -s sh
-a -t [2001:db8::100]:80 -r [2001:db8:1::11]:80 -g -w 1
-a -t [2001:db8::100]:80 -r [2001:db8:1::12]:80 -g -w 3
-a -t [2001:db8::100]:80 -r [2001:db8:1::13]:80 -g -w 2
-a -t [2001:db8::100]:80 -r [2001:db8:1::14]:80 -g -w 5
-a -t [2001:db8::100]:80 -r [2001:db8:1::15]:80 -g -w 1
R

# The texts of /proc/net: every kind of service, with connections of one of them.
sysctl -qw net.ipv4.ip_forward=1
ip addr add 10.0.0.254/24 dev eth0
ip addr add 10.0.0.100/32 dev eth0
ip addr add 192.168.1.254/24 dev eth1
ip neigh add 10.0.0.1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
ip neigh add 10.0.0.2 lladdr 02:00:00:00:c0:02 dev eth0 nud permanent
ip neigh add 192.168.1.11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
ip neigh add 192.168.1.12 lladdr 02:00:00:00:a0:12 dev eth1 nud permanent
ipvsadm -A -t 10.0.0.100:80 -s rr
ipvsadm -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m
ipvsadm -a -t 10.0.0.100:80 -r 192.168.1.12:8081 -m
modprobe ip_vs_ftp
ipvsadm -a -t 10.0.0.100:80 -r 192.168.1.13:80 -m -w 0
ipvsadm -A -t 10.0.0.100:443 -s wlc -p 360
ipvsadm -a -t 10.0.0.100:443 -r 192.168.1.11:443 -m -w 3
ipvsadm -A -u 10.0.0.100:53 -s rr -o
ipvsadm -a -u 10.0.0.100:53 -r 192.168.1.12 -g -w 100
ipvsadm -A -t 10.0.0.101:80 -s sh -p 100 -M 255.255.255.0
ipvsadm -a -t 10.0.0.101:80 -r 192.168.1.12 -i
ipvsadm -A -f 7 -s rr
ipvsadm -a -f 7 -r 192.168.1.11 -i
ipvsadm -A -f 8 -s lc -p 50 -6
ipvsadm -A --sctp-service 10.0.0.100:99 -s lc
ipvsadm -a --sctp-service 10.0.0.100:99 -r 10.0.0.254:99 -m
ipvsadm -A -t [2001:db8::110]:443 -s mh -b mh-fallback
ipvsadm -a -t [2001:db8::110]:443 -r [2001:db8::2]:443 -i -w 100
ipvsadm -a -t [2001:db8::110]:443 -r 192.168.1.12:443 -i

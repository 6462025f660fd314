#!/bin/sh
# Inside the virtual machine of tools/oracle/guest: boots the Debian in folder $1 in a container, with its systemd as process 1,
# and runs the script $2 (a path in that Debian) as a service. Nothing is written to the folder. Prints what the script prints.
set -e
root=$1 script=$2
at=/run/debian
modprobe -a tun veth nf_tables overlay 2>/dev/null || true
chmod 666 /dev/net/tun # as udev does, which a container does not run
mkdir -p $at && mount -t tmpfs tmpfs $at && mkdir $at/up $at/work $at/root
mount -t overlay -o lowerdir="$root",upperdir=$at/up,workdir=$at/work overlay $at/root
mount -t cgroup2 cgroup2 /sys/fs/cgroup
cat >$at/root/etc/systemd/system/test.service <<EOF
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh $script
ExecStopPost=/bin/systemctl exit
StandardOutput=file:/out
StandardError=file:/out
[Install]
WantedBy=multi-user.target
EOF
ln -s ../test.service $at/root/etc/systemd/system/multi-user.target.wants/test.service
: >$at/root/etc/machine-id
tail -n +1 -F $at/root/out 2>/dev/null &
container=oracle unshare --pid --mount --ipc --uts --cgroup --fork sh -c "
  mount --make-rprivate /
  mount --bind $at/root $at/root && cd $at/root
  mount -t proc proc proc && mount -t sysfs sysfs sys && mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount --rbind /dev dev && mount -t tmpfs tmpfs run && mount -t tmpfs tmpfs tmp
  mkdir -p old && pivot_root . old && umount -l /old
  exec /lib/systemd/systemd --log-target=console --log-level=info </dev/null >/systemd.log 2>&1" || true
sleep 1
grep -q "^test-service:" $at/root/out || { cat $at/root/systemd.log; echo "test-service: systemd has not run the test, 1 failed"; }

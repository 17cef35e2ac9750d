#!/bin/bash
# The Rocky Linux tutorial typed in one go: its commands, one after another, in its order. What a person's editor does
# is done by sed and here documents; where a person waits and looks (addresses after the restart, the first page), so
# does this. Needs a host without the lab; LAN is the interface for macvlan. SERVERS: the tutorial has two; with more the
# same commands are typed for each. On a Debian IMAGE they are Debian's: apt-get, apache2, and no line for dhclient.
set -euo pipefail
LAN=${LAN:?the interface for macvlan}
SERVERS=${SERVERS:-2}
IMAGE=${IMAGE:-images:rockylinux/8}
numbers=$(seq "$SERVERS")
webs=$(printf 'web%s ' $numbers)
exec </dev/null

case $IMAGE in
*debian*)
  httpd=apache2 page=/var/www/html/index.html heading='Apache2 Debian Default Page'
  install() { lxc exec $1 -- apt-get update && lxc exec $1 --env DEBIAN_FRONTEND=noninteractive -- apt-get install -y $2; } ;;
*)
  httpd=httpd page=/usr/share/httpd/noindex/index.html heading='HTTP Server'
  install() { lxc exec $1 -- dnf install -y $2; } ;;
esac

for node in $webs proxyha; do lxc launch $IMAGE $node; done

lxc profile create macvlan
lxc profile edit macvlan <<END
config: {}
description: ""
devices:
  eth0:
    name: eth0
    nictype: macvlan
    parent: $LAN
    type: nic
name: macvlan
END
for node in $webs proxyha; do lxc profile assign $node default,macvlan; done
if [ $httpd = httpd ]; then
  for node in $webs proxyha; do echo '@reboot /usr/sbin/dhclient' | lxc exec $node -- crontab -; done
fi
for node in $webs proxyha; do lxc restart $node; done

address() {
  local found
  for _ in $(seq 300); do
    found=$(lxc list "^$1\$" --format csv --columns 4 | sed -n 's/^\([0-9.]*\) (eth0).*/\1/p')
    if [ -n "$found" ]; then echo "$found"; return; fi
    sleep 0.1
  done
  return 1
}
declare -A addresses
for node in $webs proxyha; do addresses[$node]=$(address $node); done

for node in $webs; do install $node $httpd; done
for node in $webs; do
  lxc exec $node -- systemctl enable $httpd
  lxc exec $node -- systemctl start $httpd
done
for i in $numbers; do
  lxc exec web$i -- sed -i "s/$heading/SITE$i $heading/" $page
done

install proxyha haproxy
lxc config device add proxyha http proxy listen=tcp:0.0.0.0:80 connect=tcp:127.0.0.1:80
lxc config device add proxyha https proxy listen=tcp:0.0.0.0:443 connect=tcp:127.0.0.1:443
for i in $numbers; do
  echo "${addresses[web$i]}   site$i.testdomain.com     site$i web$i.testdomain.com"
done | lxc exec proxyha -- sh -c 'cat >>/etc/hosts'
lxc exec proxyha -- mv /etc/haproxy/haproxy.cfg /etc/haproxy/haproxy.cfg.orig
lxc exec proxyha -- mkdir -p /etc/haproxy/errors
for status in 400 403 408 500 502 503 504; do
  printf 'HTTP/1.0 %s Error\r\nContent-Type: text/html\r\n\r\n<html><body><h1>%s</h1></body></html>\n' $status $status |
    lxc exec proxyha -- sh -c "cat >/etc/haproxy/errors/$status.http"
done
lxc exec proxyha -- sh -c 'cat >/etc/haproxy/haproxy.cfg' <<END
global
  log /dev/log local0
  chroot /var/lib/haproxy
  stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners
  user haproxy
  group haproxy
  daemon
defaults
  log global
  mode http
  option httplog
  option forwardfor
  timeout connect 5000
  timeout client 50000
  timeout server 50000
  errorfile 503 /etc/haproxy/errors/503.http
frontend http_frontend
  bind *:80
  acl web_host1 hdr(host) -i site1.testdomain.com
  acl web_host2 hdr(host) -i site2.testdomain.com
  use_backend subdomain1 if web_host1
  use_backend subdomain2 if web_host2
backend subdomain1
  balance roundrobin
  http-request set-header X-Client-IP %[src]
$(printf '  server site%s web%s.testdomain.com:80 check\n' $(for i in $numbers; do echo $i $i; done))
backend subdomain2
  balance roundrobin
  http-request set-header X-Client-IP %[src]
$(printf '  server site%s web%s.testdomain.com:80 check\n' $(for i in $numbers; do echo $i $i; done | tac))
END
lxc exec proxyha -- mkdir -p /run/haproxy /var/lib/haproxy/dev
lxc exec proxyha -- systemctl enable haproxy
lxc exec proxyha -- systemctl start haproxy
lxc exec proxyha -- sh -c 'cat >/etc/rsyslog.d/99-haproxy.conf' <<'END'
$AddUnixListenSocket /var/lib/haproxy/dev/log
:programname, startswith, "haproxy" {
  /var/log/haproxy.log
  stop
}
END
lxc exec proxyha -- systemctl restart rsyslog
lxc exec proxyha -- systemctl restart haproxy

for _ in $(seq 100); do
  if lxc exec proxyha -- curl -s -H 'Host: site1.testdomain.com' "http://${addresses[proxyha]}/" | grep SITE >/dev/null; then exit 0; fi
  sleep 0.1
done
echo 'no page came' >&2
exit 1

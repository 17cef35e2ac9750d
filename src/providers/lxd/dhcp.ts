import { NETWORKMANAGER_LEAVES_ETH0 } from '../../os/macvlan.ts';

/**
 * For a node on macvlan whose eth0 nobody brings up: no cron, no dhclient, or neither. It gets what its system has, for
 * every boot: a unit with dhclient or dhcpcd, else systemd-networkd, else a unit with DHCP_CLIENT, which is `$client`.
 * NetworkManager is not among them: it takes no macvlan interface whose parent it cannot see. In a shell with `$nic`.
 */
export const BRING_DHCP = String.raw`
has() { command -v "$1" >/dev/null 2>&1; }
# Whether somebody is at it already: cron's line as in the tutorial, or what the system has.
taken() {
  [ -d /run/systemd/system ] || return 0
  grep -qs dhclient /var/spool/cron/root && has dhclient && systemctl -q is-active crond cron && return 0
  case $(networkctl --no-legend list "$nic" 2>/dev/null) in *pending*|*initialized*|*configur*) return 0 ;; esac
  case $(nmcli -g GENERAL.STATE device show "$nic" 2>/dev/null) in [4-9]?' '*|1??' '*) return 0 ;; esac
  grep -qsw "$nic" /etc/network/interfaces && has ifup && return 0
  pgrep -x 'dhclient|dhcpcd' >/dev/null 2>&1
}
bring_dhcp() {
  if has dhclient; then run="$(command -v dhclient) -d $nic"
  elif has dhcpcd; then run="$(command -v dhcpcd) -4 -A -B $nic"
  elif systemctl enable -q systemd-networkd 2>/dev/null; then
    printf '[Match]\nName=%s\n[Network]\nDHCP=ipv4\n' "$nic" >/etc/systemd/network/10-lablb.network
    systemctl restart systemd-networkd
    return 0
  elif python=$(command -v python3 || command -v /usr/libexec/platform-python); then
    mkdir -p /var/lib/lablb; printf %s "$client" >/var/lib/lablb/dhcp.py
    run="$python /var/lib/lablb/dhcp.py $nic"
  else return 94; fi
  if has nmcli; then
    [ -e ${NETWORKMANAGER_LEAVES_ETH0.path} ] || printf %s '${NETWORKMANAGER_LEAVES_ETH0.content}' >${NETWORKMANAGER_LEAVES_ETH0.path}
    systemctl reload NetworkManager; nmcli device set "$nic" managed no
  fi
  printf '[Unit]\nDescription=DHCP on %s, by lablb\nAfter=network.target NetworkManager.service\n[Service]\nExecStart=%s\nRestart=always\nRestartSec=1\n[Install]\nWantedBy=multi-user.target\n' "$nic" "$run" >/etc/systemd/system/lablb-dhcp.service
  systemctl daemon-reload; systemctl enable -q --now lablb-dhcp
}
`;

/** DHCP (RFC 2131) as far as a lab needs it, for systems like Rocky Linux 10: Python is there, as dnf is written in it. */
export const DHCP_CLIENT = String.raw`"""DHCP for one interface: address, route, name servers. Written by lablb."""
import os, socket, struct, subprocess, sys, time

NIC = sys.argv[1]
IPV4, UDP, EVERYBODY = 0x0800, 17, b"\xff" * 6
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
MASK, ROUTER, DNS, HOSTNAME, DOMAIN, ADDRESS, SECONDS, KIND, SERVER, WANTED = 1, 3, 6, 12, 15, 50, 51, 53, 54, 55


def main():
    while True:
        try:
            ip("link", "set", NIC, "up")
            address, options = lease()
            use(address, options)
            time.sleep(seconds(options) / 2)
        except (OSError, subprocess.CalledProcessError) as error:
            print(error, flush=True)
            time.sleep(1)


def lease():
    # Whole packets: an interface without an address sends and receives no others.
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(IPV4)) as sock:
        sock.bind((NIC, IPV4))
        sock.settimeout(3)
        address, options = ask(sock, DISCOVER, OFFER)
        return ask(sock, REQUEST, ACK, option(ADDRESS, address) + option(SERVER, options[SERVER]))


def ask(sock, kind, answer, more=b""):
    xid = os.urandom(4)
    with open("/sys/class/net/%s/address" % NIC) as file:
        mac = bytes.fromhex(file.read().strip().replace(":", ""))
    # Flags 0x8000: the answer is to be a broadcast.
    body = struct.pack("!4B4s2H16x16s192x4s", 1, 1, 6, 0, xid, 0, 0x8000, mac, b"\x63\x82\x53\x63")
    body += option(KIND, bytes([kind])) + more + option(HOSTNAME, socket.gethostname().encode())
    body += option(WANTED, bytes([MASK, ROUTER, DNS, DOMAIN, SECONDS])) + b"\xff"
    datagram = struct.pack("!4H", 68, 67, 8 + len(body), 0) + body
    head = struct.pack("!2B3H2BH4s4s", 0x45, 0, 20 + len(datagram), 0, 0, 64, UDP, 0, bytes(4), b"\xff" * 4)
    checksum = sum(struct.unpack("!10H", head))
    checksum = ~(checksum + (checksum >> 16)) & 0xFFFF
    head = head[:10] + struct.pack("!H", checksum) + head[12:]
    sock.sendto(head + datagram, (NIC, IPV4, 0, 0, EVERYBODY))
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        packet = sock.recv(4096)
        reply = packet[(packet[0] & 15) * 4 + 8 :]
        if packet[9] != UDP or reply[:1] != b"\x02" or reply[4:8] != xid:
            continue
        options = parse(reply[240:])
        if options.get(KIND) == bytes([answer]):
            return reply[16:20], options
    raise OSError("no answer of a DHCP server")


def option(code, value):
    return bytes([code, len(value)]) + value


def parse(data):
    options, at = {}, 0
    while at + 1 < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        options[data[at]] = data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return options


def use(address, options):
    length = bin(int.from_bytes(options.get(MASK, b"\xff\xff\xff\x00"), "big")).count("1")
    cidr, life = "%s/%d" % (socket.inet_ntoa(address), length), str(seconds(options))
    ip("address", "replace", cidr, "dev", NIC, "valid_lft", life, "preferred_lft", life)
    if ROUTER in options:
        ip("route", "replace", "default", "via", socket.inet_ntoa(options[ROUTER][:4]), "dev", NIC)
    name_servers(options)
    print("bound to %s for %s s" % (cidr, life), flush=True)


def name_servers(options):
    path = "/etc/resolv.conf"
    text = ""
    if os.path.exists(path):
        with open(path) as file:
            text = file.read()
    # What somebody wrote, the lab's own name servers too, is not touched.
    if os.path.islink(path) or "nameserver" in text:
        return
    with open(path, "a") as file:
        if DOMAIN in options:
            file.write("search %s\n" % options[DOMAIN].rstrip(b"\0").decode())
        for at in range(0, len(options.get(DNS, b"")), 4):
            file.write("nameserver %s\n" % socket.inet_ntoa(options[DNS][at : at + 4]))


def seconds(options):
    return max(60, int.from_bytes(options[SECONDS], "big"))


def ip(*args):
    subprocess.run(["ip", *args], check=True)


main()
`;

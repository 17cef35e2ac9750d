# pack ROOT FOLDER NAME OS RELEASE: the two files of an LXD image (https://linuxcontainers.org, image format).

pack() {
  local root=$1 folder=$2 name=$3 os=$4 release=$5 meta
  : >"$root/etc/machine-id"
  rm -f "$root/etc/hostname" "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/usr/share/{doc,man,locale,info}/* "$root"/var/log/*.log
  meta=$(mktemp -d)
  mkdir "$meta/templates"
  cat >"$meta/metadata.yaml" <<YAML
architecture: $(uname -m)
creation_date: $(stat -c %Y "$root/etc")
properties: {os: $os, release: "$release", description: "$os $release of the test sandbox"}
templates:
  /etc/hostname: {when: [create, copy], template: hostname.tpl}
  /etc/hosts: {when: [create, copy], template: hosts.tpl}
YAML
  echo '{{ container.name }}' >"$meta/templates/hostname.tpl"
  printf '127.0.0.1   localhost localhost.localdomain\n127.0.1.1   {{ container.name }}\n::1   localhost\n' \
    >"$meta/templates/hosts.tpl"
  tar -C "$meta" -czf "$folder/$name.meta.tar.gz" metadata.yaml templates
  mksquashfs "$root" "$folder/$name.squashfs" -comp zstd -Xcompression-level 3 -noappend -no-progress -quiet
  rm -rf "$meta" "$root"
}

# No service is started while packages are installed in a root.
quiet_services() {
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod 755 "$1/usr/sbin/policy-rc.d"
}

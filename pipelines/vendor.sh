#!/usr/bin/env bash
# Gathers in vendor/ the libraries that the programs, their tests and benchmarks are built with, out of Debian's
# packages, which are unpacked and not installed. The tree with it, 60 MiB at most, builds on a bare x86-64 Linux that
# has g++, CMake, ninja, make and, for GPUs, a CUDA toolkit, and a C library no older than Debian 12's; SETUP=no tells
# make to install nothing there. CMake takes vendor/ whenever it is there.
#
#   pipelines/vendor.sh [FOLDER]      # on a Debian 12 machine with network; any user
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-vendor}
most=60  # MiB, of it and the tree

packages=(bats libcli11-dev libeigen3-dev libfasttext-dev libfasttext0 libgtest-dev libicu-dev libicu72 libsimdjson-dev
          libsimdjson14 libxxhash-dev libxxhash0 libzstd-dev libzstd1 zlib1g zlib1g-dev)

made=$(mktemp -d "$PWD/vendor.XXXXXX")
trap 'rm -rf "$made"' EXIT
chmod 755 "$made"
mkdir "$made/debs" "$made/tree"
(cd "$made/debs" && apt-get download -qq -o APT::Sandbox::User=root "${packages[@]}") > "$made/log" 2>&1 || {
  tail -n 5 "$made/log" >&2
  echo "vendor: the packages cannot be downloaded; run apt-get update first" >&2
  exit 1
}
for deb in "$made"/debs/*.deb; do dpkg-deb -x "$deb" "$made/tree"; done
cd "$made/tree"

# One place for libraries, and links that lead nowhere else.
lib=usr/lib/x86_64-linux-gnu
mv lib/x86_64-linux-gnu/* $lib/
find . -type l | while read -r link; do
  to=$(readlink "$link")
  [[ "$to" != /* ]] || ln -sf "$(basename "$to")" "$link"
done
# What is linked dynamically needs no archive; and nobody needs ICU's tools, manuals and the declarations of LAPACK.
find $lib -name '*.a' ! -name 'libg*.a' -delete
rm -rf lib etc usr/sbin usr/share/{doc,man,lintian,bug,icu,pkgconfig} usr/src usr/lib/icu \
  $lib/{icu,pkgconfig} $lib/libicu{io,test,tu}.* \
  usr/include/eigen3/{unsupported,Eigen/src/misc/lapack*}
find usr/bin -type f ! -name bats -delete

cd "$OLDPWD"
rm -rf "$folder"
mv "$made/tree" "$folder"
mib() { awk '{ kib += $1 } END { print int(kib / 1024) + 1 }'; }
size=$(du -sk "$folder" | mib)
all=$({ du -sk "$folder"; git ls-files -z | xargs -0 du -k; } | mib)
echo "vendor: $folder is $size MiB, $all MiB with the tree"
[ "$all" -le $most ] || { echo "vendor: that is more than $most MiB" >&2; exit 1; }

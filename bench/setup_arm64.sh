#!/usr/bin/env bash
# Makes a root folder in which an x86-64 Linux runs arm64 Python, with ai-edge-litert in it:
#
#     sudo bench/setup_arm64.sh ROOT && sudo edge-convert verify MODEL.tflite --arm64 ROOT
#
# Needs the Debian packages qemu-user-static, debootstrap and unzip, and pip. No package is configured inside, since
# Python runs without; that saves most of the time. Nothing is mounted and nothing registered: `verify` does what it
# needs in a mount namespace of its own, so the folder can be removed at any time.
set -euo pipefail

root=$1
release=bookworm
python=3.11
site=$root/usr/lib/python3/dist-packages
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

debootstrap --foreign --arch=arm64 --variant=minbase --include=python3,libstdc++6 "$release" "$root" "$mirror"
for package in "$root"/var/cache/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar --extract --skip-old-files --keep-directory-symlink --directory "$root"
done

wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
python3 -m pip download --quiet --dest "$wheels" --only-binary :all: --python-version "$python" \
    --platform manylinux_2_27_aarch64 --platform manylinux_2_28_aarch64 --platform manylinux2014_aarch64 \
    --platform manylinux_2_34_aarch64 ai-edge-litert numpy
mkdir -p "$site"
for wheel in "$wheels"/*.whl; do
    unzip -q -o "$wheel" -d "$site"
done

# In a container debootstrap makes /proc a link to itself, which would lead to the host's from outside.
for folder in proc sys; do
    [ ! -L "$root/$folder" ] || rm "$root/$folder"
    mkdir -p "$root/$folder"
done
mkdir -p "$root/tmp"
cp "$(command -v qemu-aarch64-static)" "$root/usr/bin/"
# XNNPACK reads the processor from /proc/cpuinfo, and would find the x86-64 machine's there. This is a Raspberry Pi 5's.
{
    printf 'processor\t: 0\n'
    printf 'Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm asimddp\n'
    printf 'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0b\nCPU revision\t: 1\n'
} > "$root/cpuinfo"
echo "ready: edge-convert verify MODEL.tflite --arm64 $root"

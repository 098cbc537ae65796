/** Which addresses are public, and what the others are. */
import test from "node:test";
import assert from "node:assert/strict";
import { canonicalAddress, nonPublicKind } from "#core/addresses";

const KINDS: Readonly<Record<string, string | null>> = {
  // Public.
  "1.1.1.1": null,
  "8.8.8.8": null,
  "9.255.255.255": null,
  "11.0.0.0": null,
  "93.184.215.14": null,
  "100.63.255.255": null,
  "100.128.0.0": null,
  "126.255.255.255": null,
  "128.0.0.0": null,
  "168.63.129.15": null,
  "169.253.255.255": null,
  "169.255.0.0": null,
  "172.15.255.255": null,
  "172.32.0.0": null,
  "192.167.255.255": null,
  "192.169.0.0": null,
  "223.255.255.255": null,
  "2600::1": null,
  "2606:4700:4700::1111": null,
  "2a00:1450:4001:800::200e": null,
  // IPv4.
  "0.0.0.0": "unspecified",
  "0.1.2.3": "unspecified",
  "10.0.0.0": "private",
  "10.255.255.255": "private",
  "100.64.0.1": "carrier-grade NAT",
  "100.100.100.200": "carrier-grade NAT",
  "100.127.255.255": "carrier-grade NAT",
  "127.0.0.1": "loopback",
  "127.255.255.255": "loopback",
  "168.63.129.16": "metadata",
  "169.254.0.1": "link-local",
  "169.254.169.254": "link-local",
  "172.16.0.1": "private",
  "172.31.255.255": "private",
  "192.0.0.192": "reserved",
  "192.0.2.1": "reserved",
  "192.168.0.1": "private",
  "192.168.255.255": "private",
  "198.18.0.1": "reserved",
  "198.51.100.1": "reserved",
  "203.0.113.1": "reserved",
  "224.0.0.1": "multicast",
  "239.255.255.255": "multicast",
  "240.0.0.1": "reserved",
  "255.255.255.255": "broadcast",
  // IPv6.
  "::": "unspecified",
  "::1": "loopback",
  "0:0:0:0:0:0:0:1": "loopback",
  "::2": "reserved",
  "100::1": "discard",
  "2001:db8::1": "reserved",
  "3fff::1": "reserved",
  "4000::1": "reserved",
  "5f00::1": "segmentRouting",
  "fc00::1": "unique local",
  "fd00:ec2::254": "unique local",
  "fd20:ce::254": "unique local",
  "fe80::1": "link-local",
  "fe80::a9fe:a9fe": "link-local",
  "fe80::1%lo": "link-local",
  "fec0::1": "deprecatedSiteLocal",
  "ff02::1": "multicast",
  // IPv6 with an IPv4 address inside.
  "::ffff:127.0.0.1": "loopback",
  "::ffff:7f00:1": "loopback",
  "::ffff:a9fe:a9fe": "link-local",
  "::ffff:10.0.0.1": "private",
  "::ffff:8.8.8.8": null,
  "::ffff:0:192.168.0.1": "private",
  "::ffff:0:8.8.8.8": null,
  "::10.0.0.1": "reserved",
  "::8.8.8.8": "reserved",
  "64:ff9b::169.254.169.254": "link-local",
  "64:ff9b::a00:1": "private",
  "64:ff9b::8.8.8.8": null,
  "64:ff9b:1::8.8.8.8": "rfc6052",
  "2002:7f00:1::": "loopback",
  "2002:a9fe:a9fe::1": "link-local",
  "2002:c0a8:1::1": "private",
  "2002:808:808::1": null,
  "2001::1": "teredo",
  "2a00:1450::5efe:10.0.0.1": "private",
  "2a00:1450::200:5efe:127.0.0.1": "loopback",
  "2a00:1450::5efe:8.8.8.8": null,
  // Not addresses.
  "": "invalid",
  localhost: "invalid",
  "0x7f.1": "invalid",
  "127.1": "invalid",
  "2130706433": "invalid",
  "010.0.0.1": "invalid",
  "8.8.8.8 ": "invalid",
  "[::1]": "invalid",
};

test("the kind of each address", () => {
  const found = Object.fromEntries(Object.keys(KINDS).map((address) => [address, nonPublicKind(address)]));
  assert.deepEqual(found, KINDS);
});

test("every spelling of an address is the same address", () => {
  for (const text of ["::1", "[::1]", "0:0:0:0:0:0:0:1", "[0000::0001]"]) assert.equal(canonicalAddress(text), "::1");
  assert.equal(canonicalAddress("::ffff:10.0.0.1"), "10.0.0.1");
  assert.equal(canonicalAddress("::10.0.0.1"), "::a00:1");
  assert.equal(canonicalAddress("FD00:EC2::254"), "fd00:ec2::254");
  for (const text of ["", "localhost", "127.1", "1.2.3.4.example.com"]) assert.equal(canonicalAddress(text), null);
});

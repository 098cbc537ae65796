import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "#core/home/config";
import { parseAddress } from "#core/home/logging-settings";

const parse = (text: string) => parseConfig(text, "/home/config.yaml", {});
const destination = (text: string) => parse(`logging: { stream: { destinations: [{ ${text} }] } }`);

test("the block of the documentation is valid", async () => {
  const { values, warnings } = await parse(`
logging:
  stream:
    enabled: true
    format: json
    destinations:
      - type: file
        path: ~/.hermes/hermes.log
      - type: syslog
        address: localhost:514
      - type: http
        url: https://logs.example.com/ingest
`);
  assert.deepEqual(warnings, []);
  assert.equal(values.logging?.stream?.destinations?.length, 3);
});

const ACCEPTED = [
  "type: file, path: logs/all.log, max_size_mb: 0.5, keep: 0",
  "type: syslog, address: '[::1]:6514', protocol: tls, ca: ~/ca.pem, facility: local7",
  "type: http, url: 'http://127.0.0.1:1/x', headers: { Authorization: Bearer x }, batch: 1, interval_ms: 0",
];
for (const text of ACCEPTED) {
  test(`accepted: ${text}`, async () => assert.deepEqual((await destination(text)).warnings, []));
}

const REFUSED: readonly (readonly [text: string, key: string, problem: RegExp])[] = [
  ["type: kafka", "type", /expected the type file, syslog or http; found/],
  ["path: x.log", "type", /missing/],
  ["type: file", "path", /required, but missing/],
  ["type: file, path: x, max_size_mb: 0", "max_size_mb", /at least 0/],
  ["type: file, path: x, keep: 1.5", "keep", /expected a/],
  ["type: syslog, address: localhost", "address", /expected host:port/],
  ["type: syslog, address: 'localhost:0'", "address", /expected host:port/],
  ["type: syslog, address: 'localhost:514', protocol: http", "protocol", /one of udp, tcp, tls/],
  ["type: syslog, address: 'localhost:514', facility: everyone", "facility", /one of kern, user/],
  ["type: syslog, address: 'localhost:514', ca: x.pem", "ca", /ca needs protocol: tls/],
  ["type: http, url: 'ftp://example.com'", "url", /expected an http or https URL/],
  ["type: http, url: 'https://me:secret@example.com'", "url", /put credentials into headers/],
  ["type: http, url: 'https://example.com', headers: { 'a b': c }", "headers.a b", /name of a header/],
  ["type: http, url: 'https://example.com', batch: 0", "batch", /at least 1/],
];
for (const [text, key, problem] of REFUSED) {
  test(`refused: ${text}`, async () => {
    await assert.rejects(destination(text), (error: Error) => {
      assert.match(error.message, problem);
      assert.ok(
        error.message.includes(`logging.stream.destinations[0].${key}`) || error.message.includes(key),
        error.message,
      );
      return true;
    });
  });
}

test("another format, and the same file twice, are refused; an unknown key is a warning", async () => {
  await assert.rejects(parse("logging: { stream: { format: text } }"), /logging.stream.format.*json/);
  const file = "{ type: file, path: a.log }";
  await assert.rejects(parse(`logging: { stream: { destinations: [${file}, ${file}] } }`), /writes the same file/);
  assert.match((await destination("type: file, path: x, maxsize: 3")).warnings[0]!, /unknown key .*maxsize/);
  assert.match((await parse("logging: { streams: {} }")).warnings[0]!, /streams.*did you mean.*stream/i);
});

test("addresses are a host and a port", () => {
  assert.deepEqual(parseAddress("logs.example.com:6514"), { host: "logs.example.com", port: 6514 });
  assert.deepEqual(parseAddress("[fe80::1]:514"), { host: "fe80::1", port: 514 });
  for (const bad of ["", "host", "host:", ":514", "host:99999", "::1:514", "http://host:1", "a b:1"]) {
    assert.equal(parseAddress(bad), null, bad);
  }
});

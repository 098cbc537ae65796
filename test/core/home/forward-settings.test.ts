import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "#core/home/config";

const parse = (text: string) => parseConfig(text, "/home/config.yaml", {});
const SERVERS = "servers: ['nats://127.0.0.1:4222']";

test("a stream of NATS has servers, and names, credentials and TLS if they are needed", async () => {
  const { values, warnings } = await parse(
    `forward: { nats: { servers: ['nats://a', 'tls://[::1]:4223/'], subject: a.b, stream: S, user: u, password: p, tls: { ca: ~/ca.pem } } }`,
  );
  assert.deepEqual(warnings, []);
  assert.deepEqual(values.forward?.nats?.servers, ["nats://a", "tls://[::1]:4223/"]);
});

const REFUSED: readonly (readonly [text: string, problem: RegExp])[] = [
  ["{}", /forward\.nats\.servers: required/],
  ["{ servers: [] }", /forward\.nats\.servers/],
  ["{ servers: ['http://a'] }", /forward\.nats\.servers\[0\]: expected a URL like nats:/],
  ["{ servers: ['127.0.0.1:4222'] }", /forward\.nats\.servers\[0\]: expected a URL like nats:/],
  ["{ servers: ['nats://a/path'] }", /forward\.nats\.servers\[0\]: expected a URL like nats:/],
  [
    "{ servers: ['nats://u:secret-word@a'] }",
    /forward\.nats\.servers\[0\]: put the credentials into user and password/,
  ],
  [`{ ${SERVERS}, subject: 'a.*' }`, /forward\.nats\.subject: expected a subject without/],
  [`{ ${SERVERS}, subject: 'a..b' }`, /forward\.nats\.subject/],
  [`{ ${SERVERS}, subject: $SYS }`, /forward\.nats\.subject/],
  [`{ ${SERVERS}, stream: a.b }`, /forward\.nats\.stream: expected a name without/],
  [`{ ${SERVERS}, password: secret-word }`, /forward\.nats\.password: password needs a user/],
  [`{ ${SERVERS}, user: u }`, /forward\.nats\.user: user needs a password/],
  [`{ ${SERVERS}, user: u, password: p, token: secret-word }`, /forward\.nats\.token: use either token/],
  [`{ ${SERVERS}, tls: { cert: a.pem } }`, /forward\.nats\.tls: cert and key need each other/],
  [`{ ${SERVERS}, tls: yes please }`, /forward\.nats\.tls: expected true, or a mapping/],
];
for (const [text, problem] of REFUSED) {
  test(`refused: forward.nats: ${text}`, async () => {
    await assert.rejects(parse(`forward: { nats: ${text} }`), (error: Error) => {
      assert.match(error.message, problem);
      assert.doesNotMatch(error.message, /secret-word/);
      return true;
    });
  });
}

test("an unknown key is named, with the one that was meant", async () => {
  const { warnings } = await parse(`forward: { nats: { ${SERVERS}, subjects: a } }`);
  assert.match(warnings.join(), /forward\.nats\.subjects.*"subject"/);
});

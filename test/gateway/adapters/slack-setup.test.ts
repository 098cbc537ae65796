/** The setup of `slack`: the manifest, and the check of the tokens. */
import test from "node:test";
import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { platformsSchema, type PlatformSettings } from "#core/home/platform-settings";
import { BOT_SCOPES, MANIFEST } from "#gateway/adapters/slack/manifest";
import { slackProblem } from "#gateway/adapters/slack/settings";
import { manifestText, slackSetup } from "#gateway/adapters/slack/setup";
import { examplesOf, readPage } from "../../helpers/examples.ts";
import { APP_TOKEN, BOT_TOKEN } from "../../helpers/slack-events.ts";
import { SCOPES } from "../../helpers/slack-methods.ts";
import { SlackServer } from "../../helpers/slack-server.ts";

const TOKENS = { bot_token: BOT_TOKEN, app_token: APP_TOKEN };

test("the steps have the manifest, which has the scopes that are checked", () => {
  const text = manifestText();
  assert.ok(slackSetup.steps.some((step) => step.includes(text)));
  assert.deepEqual(parse(text), JSON.parse(JSON.stringify(MANIFEST)));
  assert.deepEqual(
    BOT_SCOPES.map(({ name }) => name),
    SCOPES,
  );
  assert.deepEqual(MANIFEST.oauth_config.scopes.bot, SCOPES);
});

test("the page has the same manifest, each scope, and a configuration that is one", () => {
  const examples = examplesOf("docs/slack.md", "yaml");
  assert.equal(examples.get("slack-manifest"), manifestText());
  for (const { name, purpose } of BOT_SCOPES)
    assert.match(readPage("docs/slack.md"), new RegExp(`\\| \`${name}\` +\\| ${purpose}`));
  const config = parse(examples.get("slack-config") ?? "") as {
    gateway: { platforms: { slack: PlatformSettings<"slack"> } };
  };
  const { platforms } = config.gateway;
  assert.equal(platformsSchema(z).safeParse(platforms).success, true);
  assert.equal(slackProblem({ ...platforms.slack, ...TOKENS }), undefined);
});

test("each token is checked before anything is asked of Slack", () => {
  const problemOf = (key: string, value: string) =>
    slackSetup.fields.find((field) => field.key === key)?.problem?.(value);
  assert.equal(problemOf("bot_token", BOT_TOKEN), undefined);
  assert.equal(problemOf("app_token", APP_TOKEN), undefined);
  assert.match(problemOf("bot_token", APP_TOKEN) ?? "", /starts with xoxb-/);
  assert.match(problemOf("app_token", "") ?? "", /is missing/);
});

test("the check says whose tokens they are and what is missing", async (t) => {
  const server = await new SlackServer().start();
  t.after(() => server.stop());
  assert.deepEqual(await slackSetup.check(TOKENS, server.url), { account: "@hermes in Test", notes: [] });
  server.scopes = SCOPES.filter((scope) => scope !== "im:history");
  const { notes } = await slackSetup.check(TOKENS, server.url);
  assert.equal(notes.length, 1);
  assert.match(notes[0]!, /lacks the scope im:history/);
});

test("the check says which token is wrong", async (t) => {
  const server = await new SlackServer().start();
  t.after(() => server.stop());
  const check = (tokens: object) => slackSetup.check({ ...TOKENS, ...tokens }, server.url);
  await assert.rejects(check({ bot_token: "xoxb-wrong" }), { code: "HERMES_ADAPTER_CONFIG", message: /bot_token/ });
  await assert.rejects(check({ app_token: "xapp-wrong" }), { code: "HERMES_ADAPTER_CONFIG", message: /app_token/ });
  await server.stop();
  await assert.rejects(check({}), { code: "HERMES_ADAPTER_START", message: /cannot be reached/ });
});

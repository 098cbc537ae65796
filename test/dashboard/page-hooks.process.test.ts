/** The hooks of a real home on the page: what is configured, why something failed, and its runs in the feed. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Locator } from "playwright-core";
import { openTab, startBrowser } from "../helpers/browser.ts";
import { Home } from "../helpers/hermes.ts";

/** Waits until an element's text holds the words. */
async function sees(locator: Locator, words: string | RegExp): Promise<void> {
  await locator.filter({ hasText: words }).first().waitFor();
}

test("a hook opens: its state, its last failures with reasons, its runs in the feed; unapproved ones are there, too", async (t) => {
  const home = new Home(t);
  const guard = home.script("guard.sh", `echo '{"decision":"block","reason":"not <b>here</b>"}'`);
  const broken = home.script("broken.sh", "echo the disk is full >&2; exit 3");
  const unapproved = home.script("new.sh", "exit 0");
  home.write(
    "config.yaml",
    `hooks:
  pre_tool_call: [{command: ${guard}}]
  post_tool_call: [{command: ${broken}}]
  on_session_end: [{command: ${unapproved}}]
`,
  );
  await home.run(["hooks", "allow", "pre_tool_call", guard]);
  await home.run(["hooks", "allow", "post_tool_call", broken]);
  const dashboard = home.start(["dashboard", "--port", "0", "--json"]);
  t.after(() => dashboard.kill("SIGKILL"));
  await dashboard.sees("#code=");
  const browser = await startBrowser(t);
  const { page, errors } = await openTab(browser);
  await page.goto(/http:\/\/\S+#code=[\w-]+/.exec(dashboard.stdout())![0]);
  const row = (name: string) => page.locator("#hooks-rows tr", { hasText: name });
  await sees(row("guard.sh"), "never ran");
  await sees(row("new.sh"), "not approved");
  await sees(page.locator("#alerts"), "Hook new.sh is not approved");

  await home.run(["chat", "-q", "run `echo hi`"]);
  await sees(page.locator("#alerts"), "Hook broken.sh fails on post_tool_call");
  await row("guard.sh").click();
  const pane = page.locator("#inspector");
  await sees(pane.locator("h2"), "Hook guard.sh");
  await sees(pane.locator(".event-facts"), /State\s*may run/);
  await sees(pane.locator(".failures li"), "not <b>here</b>");
  await sees(pane.locator(".trend-frame"), "0 failed, 1 blocked");
  await pane.getByRole("button", { name: "Only its runs in the feed" }).click();
  await sees(page.locator("#feed-count"), /^1 of/);
  await sees(page.locator("#rows [role=option]"), "guard.sh on pre_tool_call");
  await page.getByRole("button", { name: "No longer only the hook guard.sh" }).click();
  await sees(page.locator("#feed-count"), /^\d+ events/);

  await row("broken.sh").getByRole("button").focus();
  await page.keyboard.press("Enter");
  await sees(pane.locator(".failures li"), "the disk is full");
  await pane.getByRole("button", { name: /^Session / }).click();
  await sees(page.locator("#inspector-title"), "run `echo hi`");
  await row("new.sh").click();
  await sees(pane, "It has never run.");
  await sees(pane.locator(".command"), `hermes hooks allow on_session_end ${unapproved}`);
  await page.keyboard.press("Escape");
  assert.deepEqual(errors, []);
});

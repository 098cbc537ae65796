/** What the operator of a gateway sees on standard error: loaded hooks, platforms that are retried, a line a message. */
import { elapsed } from "#core/age";
import type { HookIdentity } from "#core/ports/hook";
import { styled, type StyledLine } from "#core/styled-text";
import { visible } from "#allowlist/visible";
import type { MessageReport } from "#gateway/deps";
import { shortHookName } from "../chat/hook-name.ts";

const STYLES = { answered: "green", interrupted: "yellow", failed: "red", "no answer": "dim" } as const;

/** `PLATFORM USER: answered in 2.1s` */
export function messageLine({ platform, user_id: user, outcome, code, seconds }: MessageReport): StyledLine {
  const who = user === "" ? platform : `${platform} ${user}`;
  const time = elapsed(Math.round(seconds * 10) / 10);
  const word = outcome === "answered" ? `answered in ${time}` : `${outcome} after ${time}`;
  return [styled(`${visible(who)}: `), styled(word, STYLES[outcome]), styled(code === null ? "" : ` (${code})`)];
}

/** A platform that could not start again, and when it is tried next. */
export function retryLine(platform: string, seconds: number, problem: string): StyledLine {
  const text = `${visible(platform)}: still not running, next attempt in ${elapsed(seconds)}: ${visible(problem)}`;
  return [styled(text, "yellow")];
}

/** The loaded hooks by where their code lives, each with its events. */
export function hookLines(hooks: readonly HookIdentity[]): readonly StyledLine[] {
  if (hooks.length === 0) return [[styled("No hooks are loaded.", "dim")]];
  const sources = Map.groupBy(hooks, ({ source }) => source);
  return [...sources].map(([source, found]) => {
    const names = Map.groupBy(found, ({ name }) => name);
    const described = [...names].map(
      ([name, runs]) => `${shortHookName(name)} (${[...new Set(runs.map(({ event }) => visible(event)))].join(", ")})`,
    );
    return [styled(`${LABELS[source]}: ${described.join(", ")}`, "dim")];
  });
}

const LABELS: Readonly<Record<HookIdentity["source"], string>> = {
  plugin: "Plugin hooks",
  shell: "Shell hooks",
  python: "Python hooks",
  worker: "Gateway hooks",
  isolate: "Gateway hooks in isolates",
};

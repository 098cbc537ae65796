/** What somebody should know who starts hermes for the first time. */
import { existsSync } from "node:fs";
import type { HomePaths } from "#core/home/paths";
import type { ModelSwitch } from "../model-switch.ts";

/** True for a home that nobody has configured or used yet. Ask before the host is created, which makes files in it. */
export function isFirstStart({ config, fallbackConfig, state }: HomePaths): boolean {
  return ![config, fallbackConfig, state].some((file) => existsSync(file));
}

/** Three lines: the model, how to choose another, and what the tools may do. */
export function describeFirstStart({ id, provider }: ReturnType<ModelSwitch["describe"]>): string {
  const isOffline = provider === "offline";
  return [
    isOffline
      ? "No model is set up: the offline model answers, which only understands a few fixed phrases."
      : `The model is ${id}, because a key for ${provider} is in the environment.`,
    `To set up ${isOffline ? "a real" : "another"} model, run: hermes model`,
    "Tools run commands and change files without asking, unless a hook of yours blocks them (hermes hooks events).",
  ].join("\n");
}

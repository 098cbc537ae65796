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
      ? "No model is set up: the offline model answers, with a few fixed phrases."
      : `The model is ${id}: the environment has a key for ${provider}.`,
    `To set up ${isOffline ? "a real" : "another"} model, run: hermes model`,
    "Tools run without asking unless a hook objects: hermes plugins enable approvals",
  ].join("\n");
}

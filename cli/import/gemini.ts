/** Settings of Gemini CLI: `.gemini/settings.json`, and the `hooks.json` of extensions. */
import { isMapping } from "#core/mapping";
import { GEMINI_CLI } from "#sandbox/shell/protocols/gemini";
import { NO_COMPACTION, NO_NOTIFICATIONS, type ProgramReader } from "./program-reader.ts";

const NO_REQUESTS = "hermes shows hooks no requests to the model, and they cannot change them";

export const GEMINI_READER: ProgramReader = {
  name: "gemini",
  program: GEMINI_CLI,
  layout: "groups",
  commandKeys: ["command"],
  timeout: { keys: ["timeout"], unit: "milliseconds" },
  harmless: ["type", "name", "description", "env"],
  decisive: {},
  dropped: {},
  missing: {
    BeforeModel: NO_REQUESTS,
    AfterModel: NO_REQUESTS,
    BeforeToolSelection: NO_REQUESTS,
    Notification: NO_NOTIFICATIONS,
    PreCompress: NO_COMPACTION,
  },
  notEvents: ["enabled", "disabled", "notifications"],
  pluginVariables: ["extensionPath"],
  files: [".gemini/settings.json", "hooks/hooks.json"],
  folder: ".gemini",
  switchedOff({ hooks, hooksConfig }) {
    const off = [hooksConfig, hooks].some((block) => isMapping(block) && block["enabled"] === false);
    return off ? "hooks are not enabled in these settings" : undefined;
  },
  disabledHooks: ({ hooks, hooksConfig }) =>
    [hooksConfig, hooks].flatMap((block): readonly unknown[] => {
      const disabled: unknown = isMapping(block) ? block["disabled"] : undefined;
      return Array.isArray(disabled) ? disabled : [];
    }),
};

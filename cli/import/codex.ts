/** Settings of Codex: `.codex/hooks.json`, and the `[hooks]` tables of `config.toml`. */
import { isMapping } from "#core/mapping";
import { CODEX_CLI } from "#sandbox/shell/protocols/codex";
import { NO_COMPACTION, NO_PERMISSIONS, type ProgramReader } from "./program-reader.ts";

export const CODEX_READER: ProgramReader = {
  name: "codex",
  program: CODEX_CLI,
  layout: "groups",
  commandKeys: ["command"],
  timeout: { keys: ["timeout", "timeoutSec", "timeout_sec"], unit: "seconds" },
  harmless: [
    "type",
    "statusMessage",
    "status_message",
    "async",
    "commandWindows",
    "command_windows",
    "additionalContextLimit",
    "additional_context_limit",
  ],
  decisive: {},
  dropped: {},
  missing: {
    PermissionRequest: NO_PERMISSIONS,
    PreCompact: NO_COMPACTION,
    PostCompact: NO_COMPACTION,
    Interrupt: "hermes has no event for an interrupted turn",
    StopFailure: "use api_request_error with a script for hermes",
  },
  // What Codex itself notes about hooks that the user trusts.
  notEvents: ["state", "managed_dir", "windows_managed_dir"],
  pluginVariables: ["PLUGIN_ROOT", "CLAUDE_PLUGIN_ROOT"],
  files: [".codex/hooks.json", ".codex/config.toml"],
  folder: ".codex",
  switchedOff({ features }) {
    if (!isMapping(features)) return undefined;
    const off = ["hooks", "codex_hooks"].find((key) => features[key] === false);
    return off === undefined ? undefined : `"features.${off}" is false`;
  },
};

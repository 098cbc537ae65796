/** Settings of GitHub Copilot CLI: `.github/hooks/*.json`. */
import { COPILOT_CLI } from "#sandbox/shell/protocols/copilot";
import { NO_COMPACTION, NO_NOTIFICATIONS, NO_PERMISSIONS, type ProgramReader } from "./program-reader.ts";

const OTHER_SYSTEM = ["powershell", "windows"];

export const COPILOT_READER: ProgramReader = {
  name: "copilot",
  program: COPILOT_CLI,
  layout: "list",
  commandKeys: ["bash", process.platform === "darwin" ? "osx" : "linux", "command"],
  timeout: { keys: ["timeoutSec", "timeout"], unit: "seconds" },
  harmless: ["type", "comment", "cwd", "env", "linux", "osx", "command", ...OTHER_SYSTEM],
  decisive: {},
  dropped: {},
  missing: {
    permissionRequest: NO_PERMISSIONS,
    PermissionRequest: NO_PERMISSIONS,
    notification: NO_NOTIFICATIONS,
    Notification: NO_NOTIFICATIONS,
    preCompact: NO_COMPACTION,
    PreCompact: NO_COMPACTION,
  },
  notEvents: [],
  pluginVariables: ["PLUGIN_ROOT", "COPILOT_PLUGIN_ROOT", "CLAUDE_PLUGIN_ROOT"],
  files: [".github/hooks/*.json"],
  folder: ".github",
  switchedOff: ({ disableAllHooks }) => (disableAllHooks === true ? '"disableAllHooks" is true' : undefined),
};

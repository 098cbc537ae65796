/** Settings of Claude Code: `.claude/settings.json`, and the `hooks.json` of plugins. */
import { CLAUDE_CODE } from "#sandbox/shell/protocols/claude";
import { NO_COMPACTION, NO_NOTIFICATIONS, NO_PERMISSIONS, type ProgramReader } from "./program-reader.ts";

const NO_TASKS = "hermes has no event for lists of tasks and teams of agents";
const NO_CONFIG_EVENTS = "hermes has no event for changes of files and settings";

export const CLAUDE_READER: ProgramReader = {
  name: "claude",
  program: CLAUDE_CODE,
  layout: "groups",
  commandKeys: ["command"],
  timeout: { keys: ["timeout"], unit: "seconds" },
  harmless: ["type", "statusMessage", "description", "args", "async"],
  decisive: {
    if: "hermes runs a hook for every call that its matcher matches; test the arguments in the script",
    once: "hermes runs a hook at every event",
  },
  dropped: { asyncRewake: "hermes does not wake the agent when the hook ends" },
  missing: {
    Notification: NO_NOTIFICATIONS,
    PreCompact: NO_COMPACTION,
    PostCompact: NO_COMPACTION,
    PermissionRequest: NO_PERMISSIONS,
    PermissionDenied: NO_PERMISSIONS,
    ConfigChange: NO_CONFIG_EVENTS,
    FileChanged: NO_CONFIG_EVENTS,
    CwdChanged: NO_CONFIG_EVENTS,
    InstructionsLoaded: NO_CONFIG_EVENTS,
    TaskCreated: NO_TASKS,
    TaskCompleted: NO_TASKS,
    TeammateIdle: NO_TASKS,
    PostToolBatch: "hermes has an event for each call only; use PostToolUse",
    UserPromptExpansion: "hermes has no event for slash commands in shell hooks",
    Setup: "hermes has no event for its set-up",
    Elicitation: "hermes does not pass on questions of MCP servers",
    ElicitationResult: "hermes does not pass on questions of MCP servers",
    WorktreeCreate: "hermes creates no worktrees",
    WorktreeRemove: "hermes creates no worktrees",
    StopFailure: "use api_request_error with a script for hermes",
  },
  notEvents: ["description", "$schema"],
  pluginVariables: ["CLAUDE_PLUGIN_ROOT"],
  files: [".claude/settings.json", ".claude/settings.local.json", "hooks/hooks.json"],
  folder: ".claude",
  switchedOff: ({ disableAllHooks }) => (disableAllHooks === true ? '"disableAllHooks" is true' : undefined),
};

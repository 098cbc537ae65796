/** Settings of Cursor: `.cursor/hooks.json`. */
import { CURSOR_IDE } from "#sandbox/shell/protocols/cursor";
import { NO_COMPACTION, type ProgramReader } from "./program-reader.ts";

const NO_TAB = "hermes completes no code while you type";

export const CURSOR_READER: ProgramReader = {
  name: "cursor",
  program: CURSOR_IDE,
  layout: "list",
  commandKeys: ["command"],
  timeout: { keys: ["timeout"], unit: "seconds" },
  harmless: ["type", "failClosed"],
  decisive: {},
  dropped: { loop_limit: "hermes does not start another turn for a hook" },
  missing: {
    afterAgentThought: "hermes shows hooks no reasoning",
    preCompact: NO_COMPACTION,
    beforeTabFileRead: NO_TAB,
    afterTabFileEdit: NO_TAB,
    workspaceOpen: "hermes has no event for the opening of a folder",
  },
  notEvents: [],
  pluginVariables: ["CURSOR_PLUGIN_ROOT", "CLAUDE_PLUGIN_ROOT"],
  files: [".cursor/hooks.json"],
  folder: ".cursor",
  startsInFolder: true,
};

/** Examples of `hermes hooks events NAME --example`: a script with its entry, and a plugin; both run unchanged. */
import { join } from "node:path";
import { declarationOf, type EventName } from "#core/events";
import type { HomePaths } from "#core/home/paths";

export interface Example {
  readonly script: { readonly file: string; readonly text: string };
  /** The entry in `config.yaml` that names the script. */
  readonly config: string;
  readonly plugin: { readonly name: string; readonly manifest: string; readonly file: string; readonly text: string };
}

/** What a script and a callback do at an event, in the script's words and in the plugin's. */
interface Body {
  readonly purpose: string;
  readonly shell: string;
  /** What the callback takes out of its payload. */
  readonly fields: string;
  readonly plugin: string;
}

const BODIES: Readonly<Partial<Record<EventName, Body>>> = {
  pre_tool_call: {
    purpose: "Blocks commands that delete everything.",
    shell: `cmd=$(jq -r '.tool_input.command // empty' <<<"$payload")
# A line that only prints is no danger. A list like this is never complete.
rest=$(grep -vE '^[[:space:]]*(echo|printf)[[:space:]][^;&|($\`]*$' <<<"$cmd" || true)
if grep -qE 'rm[[:space:]]+-[a-zA-Z]*r[a-zA-Z]*[[:space:]]+/([^[:alnum:]._~-]|$)' <<<"$rest"; then
  jq -n '{decision: "block", reason: "rm -r / is not allowed"}'
else
  printf '{}\\n'
fi`,
    fields: "{ args }",
    plugin: `      const command = String(args["command"] ?? "");
      // A line that only prints is no danger. A list like this is never complete.
      const lines = command.split("\\n").filter((line) => !/^\\s*(echo|printf)\\s[^;&|($\`]*$/.test(line));
      if (lines.some((line) => /rm\\s+-\\w*r\\w*\\s+\\/([^\\w.~-]|$)/.test(line))) {
        return { action: "block", message: "rm -r / is not allowed" };
      }
      return undefined;`,
  },
  transform_tool_result: {
    purpose: "Masks API keys before the model sees them.",
    shell: `jq '.extra.result | gsub("sk-[A-Za-z0-9_-]{16,}"; "[masked]") as $clean
    | if $clean == . then {} else {text: $clean} end' <<<"$payload"`,
    fields: "{ result }",
    plugin: `      const clean = result.replaceAll(/sk-[A-Za-z0-9_-]{16,}/g, "[masked]");
      return clean === result ? undefined : clean;`,
  },
  pre_llm_call: {
    purpose: "Tells the model today's date.",
    shell: `jq -n --arg today "$(date '+%A, %F')" '{context: ("Today is " + $today + ".")}'`,
    fields: "",
    plugin: `      return { context: \`Today is \${new Date().toDateString()}.\` };`,
  },
  transform_llm_output: {
    purpose: "Adds a line to every answer.",
    shell: `jq '{text: (.extra.response_text + "\\n\\n(checked by a hook)")}' <<<"$payload"`,
    fields: "{ response_text }",
    plugin: `      return \`\${response_text}\\n\\n(checked by a hook)\`;`,
  },
  pre_gateway_dispatch: {
    purpose: "Skips messages that start with two slashes.",
    shell: `jq 'if .extra.event.text | startswith("//")
    then {action: "skip", reason: "a comment"} else {action: "allow"} end' <<<"$payload"`,
    fields: "{ event }",
    plugin: `      return event.text.startsWith("//") ? { action: "skip", reason: "a comment" } : { action: "allow" };`,
  },
};

/** The example of an event, for this home; `userHome` is what `~` means. */
export function exampleOf(event: EventName, { agentHooks, plugins }: HomePaths, userHome: string): Example {
  const { purpose, shell, fields, plugin } = BODIES[event] ?? observer(event);
  const name = `example-${event.replaceAll("_", "-")}`;
  const file = join(agentHooks, `${name}.sh`);
  return {
    script: { file, text: `#!/usr/bin/env bash\n# ${purpose}\nset -euo pipefail\npayload=$(cat)\n${shell}\n` },
    config: entryOf(event, file.startsWith(`${userHome}/`) ? `~${file.slice(userHome.length)}` : file),
    plugin: {
      name,
      manifest: `name: ${name}\nprovides_hooks: [${event}]\n`,
      file: join(plugins, name, "index.ts"),
      text: `import { definePlugin } from "hermes-hooks/plugin";

/** ${purpose} */
export default definePlugin({
  hooks: {
    ${event}(${fields}) {
${plugin}
    },
  },
});
`,
    },
  };
}

/** An observer appends a line to a file; its answer is ignored. */
function observer(event: EventName): Body {
  return {
    purpose: `Logs each ${event} to a file.`,
    shell: `mkdir -p "$HERMES_HOME/logs"
jq -c '{time: (now | todate), event: .hook_event_name, session_id, extra}' <<<"$payload" >>"$HERMES_HOME/logs/${event}.jsonl"`,
    fields: "{ session_id }",
    plugin: `      console.log(\`${event} in session \${session_id}\`);`,
  };
}

function entryOf(event: EventName, command: string): string {
  const { kind, tool } = declarationOf(event);
  const words = /\s/.test(command) ? `'${command}'` : command;
  return [
    "hooks:",
    `  ${event}:`,
    `    - command: ${JSON.stringify(words)}`,
    ...(tool && kind === "gate" ? ["      matcher: terminal", "      fail_closed: true"] : []),
    ...(kind === "observe" ? ["      async: true"] : []),
    "      timeout: 10",
    "",
  ].join("\n");
}

/** The example as text to copy from. */
export function describeExample({ script, config, plugin }: Example): string {
  const part = (title: string, text: string) => `── ${title}\n\n${text}`;
  return [
    part(`Script: ${script.file} (run chmod +x; needs jq)`, script.text),
    part("Entry in config.yaml (then run: hermes hooks allow --all)", config),
    part(`Or a plugin: ${plugin.file.replace(/index\.ts$/, "plugin.yaml")}`, plugin.manifest),
    part(`${plugin.file} (then run: hermes plugins enable ${plugin.name})`, plugin.text),
  ].join("\n");
}

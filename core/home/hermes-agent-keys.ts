/**
 * Keys that Hermes Agent, the Python program, has in its `config.yaml` and this one has not. Its home can be used as it
 * is: such keys are no mistakes, so only `hermes config check` names them.
 */
import type { KeyPath } from "#core/yaml-document";

/** Sections of its configuration that mean nothing here. */
const SECTIONS: ReadonlySet<string> = new Set([
  "_config_version",
  "approvals",
  "attachments",
  "auxiliary",
  "bedrock",
  "browser",
  "checkpoints",
  "code_execution",
  "command_allowlist",
  "compression",
  "context",
  "cron",
  "curator",
  "custom_providers",
  "database",
  "delegation",
  "discord",
  "display",
  "fallback_model",
  "fallback_providers",
  "file_read_max_chars",
  "group_sessions_per_user",
  "honcho",
  "human_delay",
  "image_gen",
  "kanban",
  "known_plugin_toolsets",
  "lsp",
  "max_concurrent_sessions",
  "mattermost",
  "matrix",
  "memory",
  "model_aliases",
  "model_catalog",
  "network",
  "onboarding",
  "openrouter",
  "personalities",
  "platform_toolsets",
  "platforms",
  "prefill_messages_file",
  "privacy",
  "prompt_caching",
  "provider_routing",
  "providers",
  "quick_commands",
  "runtime",
  "secrets",
  "security",
  "session_reset",
  "skills",
  "slack",
  "smart_model_routing",
  "streaming",
  "stt",
  "telegram",
  "terminal",
  "thread_sessions_per_user",
  "timeouts",
  "timezone",
  "tool_loop_guardrails",
  "tool_output",
  "toolsets",
  "tts",
  "updates",
  "voice",
  "wake_word",
  "web",
  "whatsapp",
  "worktree",
  "worktree_sync",
]);

/** Whether a configuration with these sections was written for Hermes Agent. */
export function isOfHermesAgent(sections: readonly string[]): boolean {
  return sections.some((name) => SECTIONS.has(name));
}

/** Whether an unknown key of such a configuration is one of its own; `likeKnown` for a key that resembles one of ours. */
export function isKeyOfHermesAgent(path: KeyPath, likeKnown: boolean): boolean {
  return path.length === 1 ? SECTIONS.has(String(path[0])) : !likeKnown;
}

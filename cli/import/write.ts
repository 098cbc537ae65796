/** Adds imported hooks to config.yaml, and leaves everything else as it is. */
import type { Document } from "yaml";
import { HermesError } from "#core/errors";
import { isMapping } from "#core/mapping";
import { editConfigText, readConfigText, writeConfigText } from "#cli/edit-config";
import { sameHook, type ImportedHooks, type WrittenEntry } from "./convert.ts";

type Hooks = ImportedHooks["hooks"];

/** The hooks that the block of the configuration does not have yet. */
export function withoutConfigured(hooks: Hooks, block: unknown): Hooks {
  const configured = (event: string): readonly unknown[] => {
    const list: unknown = isMapping(block) ? block[event] : undefined;
    return Array.isArray(list) ? list : [];
  };
  const fresh = Object.entries(hooks).map(([event, entries]): [string, readonly WrittenEntry[]] => [
    event,
    entries.filter((entry) => !configured(event).some((other) => isMapping(other) && sameHook(other, entry))),
  ]);
  return Object.fromEntries(fresh.filter(([, entries]) => entries.length > 0));
}

/**
 * Appends the hooks to the file. The caller has read the configuration, so it is valid YAML. Throws
 * HERMES_CONFIG_TYPE for a `hooks:` block that they cannot be added to, HERMES_CONFIG_WRITE.
 */
export async function addToConfig(file: string, hooks: Hooks): Promise<void> {
  const { isMap, isScalar, isSeq } = await import("yaml");
  const demandEmpty = (node: unknown, key: string, expected: string) => {
    if (node === undefined || node === null || (isScalar(node) && (node.value ?? null) === null)) return;
    throw new HermesError("HERMES_CONFIG_TYPE", { file, key, problem: `${key} must be ${expected}` });
  };
  const text = await editConfigText(readConfigText(file), (document: Document) => {
    const block: unknown = document.get("hooks", true);
    if (!isMap(block)) {
      demandEmpty(block, "hooks", "a mapping of events");
      document.set("hooks", document.createNode({}, { flow: false }));
    }
    for (const [event, entries] of Object.entries(hooks)) {
      const list: unknown = document.getIn(["hooks", event], true);
      if (isSeq(list)) {
        list.flow = false;
        for (const entry of entries) list.add(document.createNode(entry));
      } else {
        demandEmpty(list, `hooks.${event}`, "a list of entries");
        document.setIn(["hooks", event], document.createNode(entries));
      }
    }
  });
  await writeConfigText(file, text);
}

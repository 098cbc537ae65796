/** Changes `plugins.enabled` and `plugins.disabled` in config.yaml, and leaves everything else unchanged. */
import type { YAMLSeq } from "yaml";
import { editConfigText, readConfigText, writeConfigText } from "./edit-config.ts";

type ListName = "enabled" | "disabled";

export interface ListEdit {
  /** Taken out of the list `from`, whichever of them is there. */
  readonly remove: readonly string[];
  readonly from: ListName;
  /** Put into the list `to`, unless one of `remove` is there. */
  readonly add?: { readonly name: string; readonly to: ListName };
}

/** Edits the file and returns its path. The caller has read the configuration, so it is valid. Throws HERMES_CONFIG_WRITE. */
export async function editPluginLists(file: string, edit: ListEdit): Promise<string> {
  await writeConfigText(file, await editText(readConfigText(file), edit));
  return file;
}

/** The text of the file after the edit. */
async function editText(text: string, { remove, from, add }: ListEdit): Promise<string> {
  const { isSeq, isMap } = await import("yaml");
  return editConfigText(text, (document) => {
    if (!isMap(document.get("plugins"))) document.set("plugins", document.createNode({}));
    const list = (name: ListName): YAMLSeq | undefined => {
      const node: unknown = document.getIn(["plugins", name], true);
      return isSeq(node) ? node : undefined;
    };
    const source = list(from);
    if (source !== undefined) {
      source.items = source.items.filter((item) => !remove.includes(valueOf(item)));
    }
    if (add === undefined) return;
    const { name, to } = add;
    const target = list(to);
    if (target === undefined) document.setIn(["plugins", to], document.createNode([name], { flow: false }));
    else if (!target.items.some((item) => remove.includes(valueOf(item)))) target.add(document.createNode(name));
  });
}

function valueOf(item: unknown): string {
  return String((item as { value?: unknown } | null)?.value ?? item);
}

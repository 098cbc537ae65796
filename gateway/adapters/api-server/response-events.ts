/** The events of a streamed response, in the order that OpenAI's clients expect. */
import type { EventWriter } from "./answer.ts";
import type { EventStream } from "./event-stream.ts";
import type { RequestProblem } from "./problem.ts";
import {
  messageItem,
  reasoningItem,
  responseOf,
  summaryPart,
  textPart,
  type ResponseState,
} from "./response-document.ts";
import { createResponseId } from "./response-ids.ts";
import type { ResponsesRequest } from "./responses-request.ts";
import type { Answer, AnswerHead, AnswerPart } from "./running-answer.ts";

type ItemKind = "text" | "reasoning";

/** An item of the output that is still growing. */
interface OpenItem {
  readonly id: string;
  readonly output_index: number;
  text: string;
}

/** What differs between the items of the two kinds. */
const ITEMS = {
  text: {
    id: "msg",
    item: messageItem,
    part: textPart,
    index: "content_index",
    partEvent: "response.content_part",
    textEvent: "response.output_text",
    extra: { logprobs: [] },
  },
  reasoning: {
    id: "rs",
    item: reasoningItem,
    part: summaryPart,
    index: "summary_index",
    partEvent: "response.reasoning_summary_part",
    textEvent: "response.reasoning_summary_text",
    extra: {},
  },
} as const;

export class ResponseEvents implements EventWriter {
  readonly #stream: EventStream;
  readonly #echo: ResponsesRequest["echo"];
  readonly #open = new Map<ItemKind, OpenItem>();
  readonly #output: object[] = [];
  #head: AnswerHead | undefined;
  #isCreated = false;
  #count = 0;
  #items = 0;

  constructor(stream: EventStream, echo: ResponsesRequest["echo"]) {
    this.#stream = stream;
    this.#echo = echo;
  }

  take(part: AnswerPart): void {
    if (part.kind === "begin") this.#head = part.head;
    else this.#grow(part.kind, part.delta);
  }

  finish(answer: Answer): void {
    this.#head ??= answer;
    // An answer has a message, even an empty one.
    if (!this.#open.has("text")) this.#grow("text", "");
    for (const kind of this.#open.keys()) this.#close(kind);
    const type = answer.end === "stop" ? "response.completed" : "response.incomplete";
    this.#send(type, { response: this.#response({ answer, output: this.#output }) });
  }

  fail({ code, message }: RequestProblem): void {
    this.#send("error", { code, message, param: null });
    this.#send("response.failed", { response: this.#response({ error: { code, message }, output: this.#output }) });
  }

  #grow(kind: ItemKind, delta: string): void {
    this.#create();
    if (kind === "text") this.#close("reasoning");
    const item = this.#open.get(kind) ?? this.#add(kind);
    item.text += delta;
    const { textEvent, extra } = ITEMS[kind];
    if (delta !== "") this.#send(`${textEvent}.delta`, { ...place(kind, item), delta, ...extra });
  }

  #create(): void {
    if (this.#isCreated) return;
    this.#isCreated = true;
    const response = this.#response({ output: [] });
    this.#send("response.created", { response });
    this.#send("response.in_progress", { response });
  }

  #add(kind: ItemKind): OpenItem {
    const output_index = this.#items++;
    const { id: prefix, item, part, partEvent } = ITEMS[kind];
    const open = { id: createResponseId(prefix, this.#head!, output_index), output_index, text: "" };
    this.#open.set(kind, open);
    this.#send("response.output_item.added", { output_index, item: item(open.id, null) });
    this.#send(`${partEvent}.added`, { ...place(kind, open), part: part("") });
    return open;
  }

  #close(kind: ItemKind): void {
    const open = this.#open.get(kind);
    if (open === undefined) return;
    this.#open.delete(kind);
    const { id, output_index, text } = open;
    const { item: itemOf, part, partEvent, textEvent, extra } = ITEMS[kind];
    this.#send(`${textEvent}.done`, { ...place(kind, open), text, ...extra });
    this.#send(`${partEvent}.done`, { ...place(kind, open), part: part(text) });
    const item = itemOf(id, text);
    this.#output[output_index] = item;
    this.#send("response.output_item.done", { output_index, item });
  }

  #response(state: ResponseState): object {
    return responseOf(this.#head!, this.#echo, state);
  }

  #send(type: string, fields: object): void {
    this.#stream.send({ type, sequence_number: this.#count++, ...fields }, type);
  }
}

function place(kind: ItemKind, { id, output_index }: OpenItem): object {
  return { item_id: id, output_index, [ITEMS[kind].index]: 0 };
}

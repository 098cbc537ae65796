/** Tries a model with one small request. */
import type { SelectedModel } from "./models/select.ts";
import { toHermesError } from "./model-failure.ts";
import { ModelFailure } from "./models/failure.ts";
import { askModel } from "./stream.ts";

const QUESTION = "Answer with the word: ready";

/** What the model answers. Throws HERMES_MODEL_REQUEST and the other errors of a failed request; there are no retries. */
export async function probeModel(selected: SelectedModel): Promise<string> {
  try {
    const answer = await askModel({
      selected,
      instructions: "You are being tested.",
      messages: [{ role: "user", content: QUESTION }],
      tools: [],
      wordsOnly: false,
      hints: { words: [QUESTION], step: 0, calls: 0, first_answer: false },
      signal: new AbortController().signal,
      onDelta: () => undefined,
    });
    return answer.text.trim();
  } catch (error) {
    throw error instanceof ModelFailure ? toHermesError(error, selected) : error;
  }
}

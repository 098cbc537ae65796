/** An answer in the format of the Responses API: `response`, and its events for streams. */
import type { AnswerFormat } from "./answer.ts";
import { outputOf, responseOf } from "./response-document.ts";
import { ResponseEvents } from "./response-events.ts";
import type { ResponsesRequest } from "./responses-request.ts";

export function responsesFormat({ echo }: ResponsesRequest): AnswerFormat {
  return {
    document: (answer) => responseOf(answer, echo, { answer, output: outputOf(answer) }),
    events: (stream) => new ResponseEvents(stream, echo),
  };
}

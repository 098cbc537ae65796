/** The current model interface of the `ai` package, taken from its own types. */
import type { LanguageModel } from "ai";

export type LanguageModelV4 = Extract<LanguageModel, { specificationVersion: "v4" }>;
export type CallOptions = Parameters<LanguageModelV4["doStream"]>[0];
type GenerateResult = Awaited<ReturnType<LanguageModelV4["doGenerate"]>>;
export type Content = GenerateResult["content"][number];
export type FinishReason = GenerateResult["finishReason"];
export type Usage = GenerateResult["usage"];
export type PromptMessage = CallOptions["prompt"][number];
type StreamResult = Awaited<ReturnType<LanguageModelV4["doStream"]>>;
export type StreamPart = StreamResult["stream"] extends ReadableStream<infer Part> ? Part : never;

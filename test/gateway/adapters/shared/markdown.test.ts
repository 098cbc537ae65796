/** Markdown of models in the form of a platform. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { renderMarkdown, verbatim, withoutTables, type MarkdownStyle } from "#gateway/adapters/shared/markdown";

const STYLE: MarkdownStyle = {
  text: (text) => text.replaceAll("<", "&lt;"),
  bold: (text) => `*${text}*`,
  italic: (text) => `_${text}_`,
  strike: (text) => `~${text}~`,
  code: (code) => `\`${code}\``,
  codeBlock: (code, language) => `[${language}]\`\`\`\n${code}\n\`\`\``,
  link: (text, url) => (text === "" ? `<${url}>` : `<${url}|${text}>`),
};

const render = (markdown: string) => renderMarkdown(markdown, STYLE);

test("words: bold, italic, struck out, code, links, and what only looks like them", () => {
  assert.equal(
    render("**bold** and *slanted* and __bold__ and ~~gone~~"),
    "*bold* and _slanted_ and *bold* and ~gone~",
  );
  assert.equal(render("***both***"), "_*both*_");
  assert.equal(render("`a **b** <c>`"), "`a **b** <c>`");
  assert.equal(render("2 * 3 * 4 < 30 and snake_case_name"), "2 * 3 * 4 &lt; 30 and snake_case_name");
  assert.equal(render("[the docs](https://example.com/a?b=1)"), "<https://example.com/a?b=1|the docs>");
  assert.equal(
    render("https://example.com/x and <https://example.com/y>"),
    "<https://example.com/x> and <https://example.com/y>",
  );
  assert.equal(render("![a cat](https://example.com/cat.png)"), "<https://example.com/cat.png|a cat>");
  assert.equal(render("\\*not italic\\*"), "*not italic*");
});

test("blocks: headings, lists, quotes, code, rules, paragraphs", () => {
  assert.equal(render("# One **two**\ntext\n\n## Three"), "*One two*\n\ntext\n\n*Three*");
  assert.equal(render("- a\n- b\n  - c\n  - d\n- e"), "• a\n• b\n  • c\n  • d\n• e");
  assert.equal(render("3. c\n4. d\n   more"), "3. c\n4. d\n   more");
  assert.equal(render("- [ ] open\n- [x] done"), "• [ ] open\n• [x] done");
  assert.equal(render("> said\n> **so**"), "> said\n> *so*");
  assert.equal(render("```ts title=x\nconst a = `*b*`;\n```"), "[ts]```\nconst a = `*b*`;\n```");
  assert.equal(render("```\nnot closed yet"), "[]```\nnot closed yet\n```");
  assert.equal(render("a\n\n---\n\nb"), "a\n\n———\n\nb");
  assert.equal(render("line one\nline two"), "line one\nline two");
  assert.equal(render("<b>html</b>"), "&lt;b>html&lt;/b>");
  assert.equal(render("😀"), "😀");
});

test("a table is aligned text in a code block", () => {
  const table = "| name | size |\n| --- | ---: |\n| a | 10 |\n| longer | 5 |";
  const text = "name    size\n------  ----\na         10\nlonger     5";
  assert.equal(render(`before\n\n${table}\n\nafter`), `before\n\n[]\`\`\`\n${text}\n\`\`\`\n\nafter`);
  assert.equal(withoutTables(`**before**\n\n${table}\n\n* after`), `**before**\n\n\`\`\`\n${text}\n\`\`\`\n\n* after`);
});

test("a question is shown as it is: nothing in it is a mark, and nothing ends its block", () => {
  const command = "echo ||hidden|| ```; rm -rf ~ ~~~ *x* [a](b)";
  const shown = verbatim(command);
  assert.equal(shown.replaceAll("\u2060", ""), `\`\`\`\n${command}\n\`\`\``);
  assert.deepEqual(shown.match(/`{3,}|~{3,}/g), ["```", "```"]);
});

test("whatever a model writes is rendered, and its letters and digits stay", () => {
  const piece = fc.constantFrom(
    "**",
    "*",
    "_",
    "`",
    "```\n",
    "\n",
    "\n\n",
    "- ",
    "1. ",
    "> ",
    "# ",
    "[a](b)",
    "|",
    "word",
    " ",
  );
  const text = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (markdown) => {
      // The first line of a code block names its language, which not every platform shows.
      fc.pre(!/`{3}[^\n`]*word/.test(markdown));
      const words = markdown.match(/word/g)?.length ?? 0;
      assert.equal(render(markdown).match(/word/g)?.length ?? 0, words, JSON.stringify(markdown));
    }),
  );
});

// Package local is the engine that needs no model and no network: it carries out the plan that a task brings
// along as its input `plan`, with the builtin tools, and answers by templates.
//
// # The plan
//
//	{"steps":   [{"id": "mass", "tool": "sql_query", "args": {"sql": "SELECT …"}},
//	             {"id": "share", "tool": "calculator", "args": {"expression": "a / b",
//	               "variables": {"a": {"$from": "steps.mass#/rows/0/0"}, "b": {"$from": "inputs.total#/kg"}}}}],
//	 "answers": ["The share is {{steps.share#/value | %.1f}}.", "…"],
//	 "fallback": "…", "exhausted": "…"}
//
// An object with the one member $from, anywhere in args, stands for a value of an earlier step's output or of an
// input: `steps.ID` or `inputs.NAME`, with an optional # and JSON Pointer (RFC 6901). References order the steps;
// those that do not depend on each other run side by side, each on a branch named after it. With branch_width n
// there are n-1 branches for steps beside the root, which always counts; with width 1 steps run on the root, one
// by one.
//
// Pass n answers with template n; the last stands in for those that are missing. `{{REF}}` in a template is a
// value: a text as it is, anything else as JSON. `{{REF | FORMAT}}` writes a number: %d rounded to a whole
// number, %.2f with decimals, %.2e with an exponent, and a comma as in %,d between thousands. A template cannot
// use what stems from a sensitive input, be it by way of a step: an answer is shown.
//
// A step fails when its tool reports an error for the last allowed attempt, or when a human denies it; what
// depends on it does not run. An answer that needs what failed is replaced by `fallback`, and without one the
// run fails. Where the budget is exhausted the answer is `exhausted`, or a sentence that says what was computed.
//
// # What it counts
//
// There is no tokenizer, so tokens are estimated: ⌈bytes/4⌉ of each text. The goal and the inputs count as input
// when the run begins, outputs of tools when they come, verdicts when they are reflected on; answers count as
// output as they are streamed, thoughts as reasoning. Nothing costs money.
package local

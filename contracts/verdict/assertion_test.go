package verdict_test

import (
	"encoding/json"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/verdict"
)

// evidence is what most tests judge: an answer that is JSON, and calls of every sort.
func evidence() verdict.Evidence {
	return verdict.Evidence{
		Output: `{"planets":[{"name":"Jupiter","moons":95},{"name":"Saturn","moons":274}],"a/b":{"m~n":"ü"},"n":null}`,
		Calls: []verdict.CallEvidence{
			{Tool: "search@1.0.0", Status: contracts.CallOK, Output: []byte(`["old"]`)},
			{Tool: "sql@1.0.0", Status: contracts.CallError},
			{Tool: "search@1.2.0", Status: contracts.CallOK, Output: []byte(`{"hits":["x","y"],"n":2.0,"secret":"[redacted]"}`)},
			{Tool: "sql@1.0.0", Status: contracts.CallOK, Output: []byte(`"a text"`)},
			{Tool: "cut@1.0.0", Status: contracts.CallOK, Output: []byte(`"{\"a\""`), Truncated: true},
			{Tool: "hidden@1.0.0", Status: contracts.CallOK, Output: []byte(`"[redacted]"`), Redacted: true},
			{Tool: "silent@1.0.0", Status: contracts.CallError},
			{Tool: "broken@1.0.0", Status: contracts.CallOK, Output: []byte(`{`)},
		},
		Used: contracts.Usage{TokensIn: 100, TokensOut: 20, CostMicroUSD: 7},
	}
}

func text(output string) verdict.Evidence { return verdict.Evidence{Output: output} }

// status evaluates one assertion.
func result(t *testing.T, a contracts.Assertion, e verdict.Evidence) contracts.CheckResult {
	t.Helper()
	a.ID = "a"
	if a.Target == "" {
		a.Target = "output"
	}
	v := verdict.Judge(&contracts.VerifyContract{Assertions: []contracts.Assertion{a}, PassAt: 1}, e, verdict.Standing{})
	if len(v.Results) != 1 || v.Results[0].ID != "a" {
		t.Fatalf("results = %+v", v.Results)
	}
	return v.Results[0]
}

func TestAssertions(t *testing.T) {
	const (
		pass = contracts.CheckPass
		fail = contracts.CheckFail
		errs = contracts.CheckError
	)
	tests := []struct {
		name     string
		kind     contracts.AssertionType
		target   contracts.Target
		value    string
		evidence verdict.Evidence
		want     contracts.CheckStatus
	}{
		{"the same text", "equals", "output", `"42"`, text("42"), pass},
		{"another text", "equals", "output", `"42"`, text("42 "), fail},
		{"a text that is JSON and is meant as text", "equals", "output", `"\"a\""`, text(`"a"`), pass},
		{"an escape in the expected text", "equals", "output", `"\u00fc"`, text("ü"), pass},
		{"the same number", "equals", "output", `42`, text(" 4.2e1\n"), pass},
		{"another type", "equals", "output", `42`, text(`"42"`), fail},
		{"the same object in another order", "equals", "output", `{"a":1,"b":[true,null]}`, text(`{ "b":[true,null], "a":1.0 }`), pass},
		{"an answer that is not JSON", "equals", "output", `{"a":1}`, text("a: 1"), errs},
		{"an answer with a name twice", "equals", "output", `{"a":1}`, text(`{"a":1,"a":1}`), errs},
		{"an answer with something behind", "equals", "output", `1`, text(`1 2`), errs},
		{"an empty answer", "equals", "output", `1`, text(""), errs},
		{"a JSON text by the root pointer", "equals", "output#", `"a"`, text(`"a"`), pass},
		{"a member", "equals", "output#/planets/1/name", `"Saturn"`, evidence(), pass},
		{"another member", "equals", "output#/planets/0/name", `"Saturn"`, evidence(), fail},
		{"escaped names", "equals", "output#/a~1b/m~0n", `"ü"`, evidence(), pass},
		{"names escaped for a fragment", "equals", "output#/%61~1b/m%7E0n", `"ü"`, evidence(), pass},
		{"null", "equals", "output#/n", `null`, evidence(), pass},
		{"a list", "equals", "output#/planets/0", `{"moons":95,"name":"Jupiter"}`, evidence(), pass},
		{"a member that is not there", "equals", "output#/stars", `1`, evidence(), errs},
		{"a member of a text", "equals", "output#/planets/0/name/x", `1`, evidence(), errs},
		{"an element that is not there", "equals", "output#/planets/2", `1`, evidence(), errs},
		{"an element before the first", "equals", "output#/planets/-1", `1`, evidence(), errs},
		{"an index with a zero", "equals", "output#/planets/01", `1`, evidence(), errs},
		{"the element behind the last", "equals", "output#/planets/-", `1`, evidence(), errs},
		{"an index that overflows", "equals", "output#/planets/99999999999999999999", `1`, evidence(), errs},
		{"an element of an empty list", "equals", "output#/0", `1`, text("[]"), errs},
		{"a pointer that is none", "equals", "output#planets", `1`, evidence(), errs},
		{"a pointer with a broken escape", "equals", "output#/%zz", `1`, evidence(), errs},
		{"no expected value", "equals", "output", ``, evidence(), errs},
		{"a value that is not JSON", "equals", "output", `{`, text("{}"), errs},
		{"the meter", "equals", "usage#/tokens_in", `100`, evidence(), pass},
		{"an unknown target", "equals", "thoughts", `1`, evidence(), errs},
		{"the last call of any version", "equals", "tool:search#/hits/0", `"x"`, evidence(), pass},
		{"the last call of one version", "equals", "tool:search@1.0.0", `["old"]`, evidence(), pass},
		{"a number however it is spelled", "equals", "tool:search#/n", `2`, evidence(), pass},
		{"a call that never was", "equals", "tool:none", `1`, evidence(), errs},
		{"a version that never was", "equals", "tool:search@9.0.0", `1`, evidence(), errs},
		{"an output that was cut", "equals", "tool:cut", `1`, evidence(), errs},
		{"an output that was hidden", "equals", "tool:hidden", `"[redacted]"`, evidence(), errs},
		{"a part that was hidden", "equals", "tool:search#/secret", `"[redacted]"`, evidence(), errs},
		{"a whole with a hidden part", "contains", "tool:search", `"x"`, evidence(), errs},
		{"a call without output", "equals", "tool:silent", `1`, evidence(), errs},
		{"an output that is not JSON", "equals", "tool:broken", `1`, evidence(), errs},

		{"a part of the text", "contains", "output", `"Saturn"`, evidence(), pass},
		{"no part of the text", "contains", "output", `"Mars"`, evidence(), fail},
		{"a part of a member", "contains", "output#/planets/1/name", `"turn"`, evidence(), pass},
		{"a part of a value's canonical form", "contains", "output#/planets/0", `"{\"moons\":95,"`, evidence(), pass},
		{"a part of a tool's text", "contains", "tool:sql", `"text"`, evidence(), pass},
		{"a part that is no text", "contains", "output", `1`, evidence(), errs},
		{"a part of nothing", "contains", "output#/x", `"x"`, evidence(), errs},

		{"an expression", "matches", "output", `"^[0-9]+$"`, text("42"), pass},
		{"an expression that does not match", "matches", "output", `"^[0-9]+$"`, text("42a"), fail},
		{"an expression without anchors", "matches", "output", `"[0-9]"`, text("a4b"), pass},
		{"an expression on a member", "matches", "output#/planets/1/name", `"(?i)^SATURN$"`, evidence(), pass},
		{"an expression on nothing", "matches", "output#/x", `"x"`, evidence(), errs},
		{"an expression that is none", "matches", "output", `"("`, text(""), errs},
		{"an expression too long", "matches", "output", `"` + strings.Repeat("a", 5000) + `"`, text(""), errs},
		{"an expression too large", "matches", "output", `"((a{100}){100}){100}"`, text(""), errs},
		{"an expression too costly", "matches", "output", `"(x?y?z?){900}$"`, text(strings.Repeat("x", 1<<19)), errs},
		{"an expression that is no text", "matches", "output", `1`, text(""), errs},

		{"a schema", "json_schema", "output", `{"type":"object","required":["planets"]}`, evidence(), pass},
		{"a schema that does not fit", "json_schema", "output", `{"type":"array"}`, evidence(), fail},
		{"a schema of a member", "json_schema", "output#/planets", `{"minItems":2}`, evidence(), pass},
		{"a schema of what is not JSON", "json_schema", "output", `true`, text("x"), errs},
		{"a schema that is none", "json_schema", "output", `{"type":"planet"}`, text("1"), errs},
		{"a schema of what is too deep", "json_schema", "output", `{"type":"array"}`, text(strings.Repeat("[", 100) + strings.Repeat("]", 100)), errs},

		{"characters", "length", "output", `{"min":3,"max":3}`, text("aüz"), pass},
		{"too few characters", "length", "output", `{"min":4}`, text("aüz"), fail},
		{"too many characters", "length", "output", `{"max":2}`, text("aüz"), fail},
		{"elements", "length", "output#/planets", `{"min":2,"max":2}`, evidence(), pass},
		{"elements of the root", "length", "output#", `{"max":3}`, text(`[1,[2,3],{"a":4}]`), pass},
		{"members", "length", "output#/planets/0", `{"min":2,"max":2}`, evidence(), pass},
		{"characters of a member", "length", "output#/a~1b/m~0n", `{"max":1}`, evidence(), pass},
		{"the length of a number", "length", "output#/planets/0/moons", `{"max":1}`, evidence(), errs},
		{"the length of nothing", "length", "output#/x", `{"max":1}`, evidence(), errs},
		{"bounds that are none", "length", "output", `3`, text("abc"), errs},
		{"bounds of another type", "length", "output", `{"max":"3"}`, text("abc"), errs},

		{"a tool that was called", "tool_called", "tool:search", ``, evidence(), pass},
		{"a tool that failed and then did not", "tool_called", "tool:sql", `{"min":1,"max":1}`, evidence(), pass},
		{"a tool that was called too often", "tool_called", "tool:search", `{"max":1}`, evidence(), fail},
		{"one version of a tool", "tool_called", "tool:search@1.2.0", `{"min":1,"max":1}`, evidence(), pass},
		{"a tool that only failed", "tool_called", "tool:silent", ``, evidence(), fail},
		{"a tool that was never called", "tool_called", "tool:none", `{"max":0}`, evidence(), pass},
		{"a tool whose output was hidden", "tool_called", "tool:hidden", ``, evidence(), pass},
		{"a call of no tool", "tool_called", "output", ``, evidence(), errs},
		{"a count that is none", "tool_called", "tool:search", `[]`, evidence(), errs},

		{"a sequence", "tool_sequence", "output", `["search@1.0.0","search","sql","hidden"]`, evidence(), pass},
		{"another order", "tool_sequence", "output", `["sql","search"]`, evidence(), fail},
		{"a sequence with a call that failed", "tool_sequence", "output", `["search","silent"]`, evidence(), fail},
		{"a sequence that is longer than the run", "tool_sequence", "output", `["search","search","search"]`, evidence(), fail},
		{"a sequence of nothing", "tool_sequence", "output", `[]`, evidence(), errs},
		{"a sequence that is none", "tool_sequence", "output", `"search"`, evidence(), errs},

		{"usage at its limit", "usage_max", "usage#/tokens_in", `{"limit":100}`, evidence(), pass},
		{"usage beyond its limit", "usage_max", "usage#/tokens_in", `{"limit":99.5}`, evidence(), fail},
		{"usage of nothing", "usage_max", "usage#/planets", `{"limit":1}`, evidence(), errs},
		{"usage of everything", "usage_max", "usage", `{"limit":1}`, evidence(), errs},
		{"usage of an answer", "usage_max", "output#/planets/0/moons", `{"limit":100}`, evidence(), errs},
		{"a limit that is none", "usage_max", "usage#/tokens_in", `{}`, evidence(), errs},

		{"a check of an unknown type", "vibes", "output", ``, evidence(), errs},
	}
	for _, test := range tests {
		t.Run(string(test.kind)+" of "+test.name, func(t *testing.T) {
			a := contracts.Assertion{Type: test.kind, Target: test.target}
			if test.value != "" {
				a.Value = json.RawMessage(test.value)
			}
			got := result(t, a, test.evidence)
			checkResult(t, got, test.want)

			a.Negate = true
			negated := test.want
			switch test.want {
			case pass:
				negated = fail
			case fail:
				negated = pass
			case errs, contracts.CheckSkipped:
			}
			checkResult(t, result(t, a, test.evidence), negated)
		})
	}
}

// checkResult holds a result against a status: its score, its reason, and that nothing was quoted.
func checkResult(t *testing.T, got contracts.CheckResult, want contracts.CheckStatus) {
	t.Helper()
	if got.Status != want {
		t.Fatalf("result = %+v, want %s", got, want)
	}
	switch want {
	case contracts.CheckPass:
		if got.Score == nil || *got.Score != 1 || got.Reason != "" {
			t.Errorf("result = %+v", got)
		}
	case contracts.CheckFail:
		if got.Score == nil || *got.Score != 0 || got.Reason == "" {
			t.Errorf("result = %+v", got)
		}
	case contracts.CheckError:
		if got.Score != nil || got.Reason == "" {
			t.Errorf("result = %+v", got)
		}
	case contracts.CheckSkipped:
	}
	for _, quoted := range []string{"Saturn", "Jupiter", "42", "aüz"} {
		if strings.Contains(got.Reason, quoted) {
			t.Errorf("the reason quotes the answer: %q", got.Reason)
		}
	}
}

// TestExpressionsShareOneBound shows that many costly expressions are no way around the bound of one. These count
// as costly and give up at the first letter.
func TestExpressionsShareOneBound(t *testing.T) {
	var c contracts.VerifyContract
	for range 64 {
		c.Assertions = append(c.Assertions, contracts.Assertion{
			ID: "a", Type: contracts.AssertMatches, Target: "output", Value: json.RawMessage(`"^y(x?y?){20}z"`),
		})
	}
	v := verdict.Judge(&c, text(strings.Repeat("x", 1<<18)), verdict.Standing{})
	if first, last := v.Results[0].Status, v.Results[63].Status; first != contracts.CheckFail || last != contracts.CheckError {
		t.Errorf("first %s, last %s", first, last)
	}
}

package builtin_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/tools"
	"axiom25/server/tools/builtin"
)

func TestCalculator(t *testing.T) {
	vars := `,"variables":{"x":2.5,"list":[1,2,3,4],"big":1e308,"none":[]}`
	for expression, want := range map[string]string{
		"1 + 2 * 3": "7", "7 / 2": "3.5", "7 % 4": "3", "-7.5 % 2": "-1.5", "2 ** 10": "1024", "2 ^ 3": "8", "-x": "-2.5",
		"x > 2 ? 10 : 20": "10", "not (x > 2) or x == 0 ? 1 : 0": "0", "round(pi, 4)": "3.1416", "round(2.5)": "3",
		"floor(-1.5) + ceil(1.2) + trunc(-1.7) + abs(-2)": "1", "sqrt(16) + cbrt(27) + pow(2, 3)": "15",
		"sum(list) + mean(list) + median(list) + count(list)": "19", "median(3, 1, 2)": "2", "max(list, 9) - min(1, list)": "8",
		"ln(e) + log10(100) + log2(8) + exp(0)": "7", "hypot(3, 4) + atan2(0, 1) + sin(0) + cos(0) + tan(0)": "6",
		"asin(0) + acos(1) + atan(0)": "0", "sum(0.1, 0.2, 0.3, -0.6)": "2.7755575615628914e-17",
		"9007199254740991 + 0": "9007199254740991", "1/(1/0)": "0", "round(1e300, 15)": "1e+300",
	} {
		t.Run(expression, func(t *testing.T) {
			got, err := call(t, builtin.NewCalculator(), strings.TrimSuffix(args(t, "expression", expression), "}")+vars+"}")
			if err != nil {
				t.Fatal(err)
			}
			if got != `{"value":`+want+`}` {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestCalculator_refuses(t *testing.T) {
	vars := `,"variables":{"x":2.5,"list":[1,2],"none":[]}`
	for expression, want := range map[string]error{
		"1 / 0": builtin.ErrNotFinite, "0 / 0": builtin.ErrNotFinite, "sqrt(-1)": builtin.ErrNotFinite, "10 ** 400": builtin.ErrNotFinite,
		"9007199254740992": builtin.ErrInexact, "99999999999999999999": builtin.ErrExpression,
		"y + 1": builtin.ErrUnknownName, "len(list)": builtin.ErrUnknownName, "env": builtin.ErrUnknownName,
		"1 +": builtin.ErrExpression, "": builtin.ErrExpression, `"a" + "b"`: builtin.ErrExpression, "'a'": builtin.ErrExpression, "`a`": builtin.ErrExpression,
		"map(list, # * 2)": builtin.ErrExpression, "filter(1..10, true)": builtin.ErrExpression, "reduce(1..1000000000, #acc + #)": builtin.ErrExpression,
		"sum(1..1000000000)": builtin.ErrExpression, "[1, 2][0]": builtin.ErrExpression, "{a: 1}.a": builtin.ErrExpression, "list[0]": builtin.ErrExpression,
		"x.y": builtin.ErrExpression, "let a = 1; a": builtin.ErrUnknownName, "1; 2": builtin.ErrExpression, "x in list": builtin.ErrExpression,
		"x | sqrt()": nil, "x > 2": builtin.ErrExpression, "list": builtin.ErrExpression, "nil": builtin.ErrExpression, "true": builtin.ErrExpression,
		"sqrt()": builtin.ErrArity, "sqrt(1, 2)": builtin.ErrArity, "sqrt(list)": builtin.ErrArity, "pow(1)": builtin.ErrArity, "sum()": builtin.ErrArity,
		"mean(none)": builtin.ErrArity, "round(1, 0.5)": builtin.ErrArity, "round(1, 16)": builtin.ErrArity, "round(1, 2, 3)": builtin.ErrArity, "abs(true)": builtin.ErrArity,
		strings.Repeat("1+", 2000) + "1": builtin.ErrExpression, strings.Repeat("(", 2000) + "1" + strings.Repeat(")", 2000): nil,
		"now()": builtin.ErrUnknownName, "repeat(x, 1000)": builtin.ErrUnknownName, "sqrt(1)(2)": builtin.ErrExpression,
	} {
		t.Run(expression[:min(len(expression), 30)], func(t *testing.T) {
			out, err := call(t, builtin.NewCalculator(), strings.TrimSuffix(args(t, "expression", expression), "}")+vars+"}")
			if !errors.Is(err, want) {
				t.Errorf("got %s, %v; want %v", out, err, want)
			}
		})
	}
	for doc, want := range map[string]error{
		`{"expression":"x","variables":{"x":9007199254740993}}`: builtin.ErrInexact,
		`{"expression":"x","variables":{"x":1e999}}`:            builtin.ErrNotFinite,
		`{"expression":"x","variables":{"x":[1e999]}}`:          builtin.ErrNotFinite,
		`{"expression":"x","variables":{"x":"1"}}`:              nil,
		`{"expression":"x","variables":{"x":true}}`:             builtin.ErrExpression,
		`{"expression":"1","variables":{"sqrt":1}}`:             builtin.ErrExpression,
	} {
		if out, err := call(t, builtin.NewCalculator(), doc); !errors.Is(err, want) {
			t.Errorf("%s gives %s, %v; want %v", doc, out, err, want)
		}
	}
}

const elementsJSON = `[{"s":"H","w":1.008},{"s":"He","w":4.0026},{"s":"Li","w":6.94}]`

func TestJSONQuery(t *testing.T) {
	elements := data("elements", elementsJSON)
	typed := text("typed", "application/ld+json", `{"a":[1,2]}`)
	for query, want := range map[string]string{
		".[].s": `{"results":["H","He","Li"],"count":3,"truncated":false}`,
		`[.[] | select(.w > 2) | .s] | join("-")`:                      `{"results":["He-Li"],"count":1,"truncated":false}`,
		"map(.w * 2) | add | floor":                                    `{"results":[23],"count":1,"truncated":false}`,
		"reduce .[] as {s: $s} (\"\"; . + $s)":                         `{"results":["HHeLi"],"count":1,"truncated":false}`,
		"[foreach .[] as $e (0; . + 1; [., $e.s])] | .[1]":             `{"results":[[2,"He"]],"count":1,"truncated":false}`,
		"(1,2) * (10,20)":                                              `{"results":[10,20,20,40],"count":4,"truncated":false}`,
		`"ab" * 2, [1,2,3] - [2], 7 - 4`:                               `{"results":["abab",[1,3],3],"count":3,"truncated":false}`,
		`map(.s) | contains(["H"]), index("He"), (.[0] | inside("H"))`: `{"results":[true,1,true],"count":3,"truncated":false}`,
		"del(.[0,1]) | .[0].s":                                         `{"results":["Li"],"count":1,"truncated":false}`,
		"walk(if type == \"object\" then .s else . end)":               `{"results":[["H","He","Li"]],"count":1,"truncated":false}`,
		"[paths(type == \"number\")] | length, (.[0] | tojson)":        `{"results":[3,"[0,\"w\"]"],"count":2,"truncated":false}`,
		`"\(.[0].s) is \(.[0].w)", (.[0].s | @base64)`:                 `{"results":["H is 1.008","SA=="],"count":2,"truncated":false}`,
		"9007199254740991, 9007199254740992, (-1 | sqrt)":              `{"results":[9007199254740991,"9007199254740992",null],"count":3,"truncated":false}`,
		"try error(\"x\") catch \"caught\"":                            `{"results":["caught"],"count":1,"truncated":false}`,
		"if .[0].w > 1 then \"a\" elif true then \"b\" else \"c\" end, (-.[0].w), (label $l | 1, break $l, 2)": `{"results":["a",-1.008,1],"count":3,"truncated":false}`,
		".[1:][0].s, .[0][\"s\"], (.[0] | .\"s\")":                                                             `{"results":["He","H","H"],"count":3,"truncated":false}`,
		`. as [{s: $a}, {"s": $b}, {("s"): $c}] | {$a, b: $b, ("c"): $c, "d\(1)": 1}`:                          `{"results":[{"a":"H","b":"He","c":"Li","d1":1}],"count":1,"truncated":false}`,
		"first(.[] | .s), [limit(2; .[] | .w)], any(.w > 6), (.[0] | has(\"s\"))":                              `{"results":["H",[1.008,4.0026],true,true],"count":4,"truncated":false}`,
		"empty": `{"results":[],"count":0,"truncated":false}`,
	} {
		t.Run(query, func(t *testing.T) {
			got, err := call(t, builtin.NewJSONQuery(), strings.TrimSuffix(args(t, "query", query), "}")+`,"input":"inputs.elements"}`, elements)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	for doc, want := range map[string]string{
		`{"query":".a | add","input":"inputs.typed"}`:               `{"results":[3],"count":1,"truncated":false}`,
		`{"query":".","data":123456789012345678901234567890}`:       `{"results":["123456789012345678901234567890"],"count":1,"truncated":false}`,
		`{"query":".","data":null}`:                                 `{"results":[null],"count":1,"truncated":false}`,
		`{"query":".[0] * 10 | . * . | isinfinite","data":[1e307]}`: `{"results":[true],"count":1,"truncated":false}`,
		`{"query":".[0] * 10 | . * .","data":[1e307]}`:              `{"results":[1.7976931348623157e308],"count":1,"truncated":false}`,
		`{"query":".[] - .[] | . / 1","data":[1.5]}`:                `{"results":[0],"count":1,"truncated":false}`,
	} {
		got, err := call(t, builtin.NewJSONQuery(), doc, typed)
		want = strings.Replace(want, "e308", "e+308", 1)
		if err != nil || strings.Replace(got, "e308", "e+308", 1) != want {
			t.Errorf("%s gives %s, %v; want %s", doc, got, err, want)
		}
	}
}

func TestJSONQuery_refuses(t *testing.T) {
	elements := data("elements", elementsJSON)
	for query, want := range map[string]error{
		"$ENV": builtin.ErrQuery, "$ENV.PATH": builtin.ErrQuery, "env": builtin.ErrQuery, "env.PATH": builtin.ErrQuery, "input": builtin.ErrQuery,
		"inputs": builtin.ErrQuery, "debug": builtin.ErrQuery, "debug(\"x\")": builtin.ErrQuery, "stderr": builtin.ErrQuery,
		"input_filename": builtin.ErrQuery, "input_line_number": builtin.ErrQuery, "now": builtin.ErrQuery, "localtime": builtin.ErrQuery, "halt": builtin.ErrQuery,
		"halt_error": builtin.ErrQuery, "builtins": builtin.ErrQuery, "modulemeta": builtin.ErrQuery, "$__prog_args": builtin.ErrQuery,
		`import "a" as a; .`: builtin.ErrQuery, `include "a"; .`: builtin.ErrQuery, "def f: f; f": builtin.ErrQuery, "map(def g: 1; g)": builtin.ErrQuery,
		".[0].s = 1": builtin.ErrQuery, ".[1000000000] |= 1": builtin.ErrQuery, ".[0].w += 1": builtin.ErrQuery, "setpath([1000000000]; 1)": builtin.ErrQuery,
		"pick(.[1000000000])": builtin.ErrQuery, "fromstream(1)": builtin.ErrQuery, "transpose": builtin.ErrQuery, "add(.[])": builtin.ErrQuery,
		"_bounded": builtin.ErrQuery, "_modify(.; .)": builtin.ErrQuery, "nothing": builtin.ErrQuery, "$x": builtin.ErrQuery, ".[": builtin.ErrQuery, "map(1; 2)": builtin.ErrQuery,
		"{(env.PATH): 1}": builtin.ErrQuery, `"\(env)"`: builtin.ErrQuery, "{\"\\(env)\": 1}": builtin.ErrQuery, ".[env]": builtin.ErrQuery, ". as {(env): $x} | $x": builtin.ErrQuery, ". as [{\"\\(env)\": $x}] | $x": builtin.ErrQuery,
		"try env catch .": builtin.ErrQuery, "if env then 1 else 2 end": builtin.ErrQuery, "if 1 then 1 elif env then 2 else 3 end": builtin.ErrQuery, "reduce env as $x (0; .)": builtin.ErrQuery, "reduce .[] as {(env): $x} (0; .)": builtin.ErrQuery,
		"foreach .[] as $x (0; env)": builtin.ErrQuery, "label $l | env": builtin.ErrQuery, "-env": builtin.ErrQuery, "(env)": builtin.ErrQuery, ".[0] | .s[env:]": builtin.ErrQuery, "[env]": builtin.ErrQuery, "1 + env": builtin.ErrQuery, "map(env)": builtin.ErrQuery,
		".a": builtin.ErrQueryFailed, "error(\"hush\")": builtin.ErrQueryFailed, "error": builtin.ErrQueryFailed, ".[0].s + 1": builtin.ErrQueryFailed, ".[0].s | tonumber": builtin.ErrQueryFailed,
		"\"x\" * 2000000000": builtin.ErrValueSize, "2000000000 * \"x\"": builtin.ErrValueSize, "reduce range(60) as $i (\"x\"; . + .)": builtin.ErrValueSize,
		"reduce range(60) as $i (1; [., .])": builtin.ErrValueSize, "reduce range(60) as $i (1; {a: ., b: .}) | tojson": builtin.ErrValueSize,
		"reduce range(5000) as $i (1; [.])": builtin.ErrValueSize, "reduce range(40) as $i (3; . * .)": builtin.ErrValueSize, "[range(200000)] | . - .": builtin.ErrValueSize,
		"[range(20000)] | contains([range(20000)])": builtin.ErrValueSize, "[range(20000) | tostring] | join(\"x\" * 100000)": builtin.ErrValueSize,
		"(\"x\" * 1000000) as $b | [range(1000)] | map($b)": builtin.ErrValueSize, "(\"x\" * 1000000) as $b | [range(1000)] | walk(if type == \"number\" then $b else tojson end)": builtin.ErrValueSize,
		"[range(60000)] | map([.])": builtin.ErrResultTooLarge, "\"x\" * 300000": builtin.ErrResultTooLarge,
	} {
		t.Run(query[:min(len(query), 40)], func(t *testing.T) {
			out, err := call(t, builtin.NewJSONQuery(), strings.TrimSuffix(args(t, "query", query), "}")+`,"input":"inputs.elements"}`, elements)
			if !errors.Is(err, want) {
				t.Fatalf("got %.100s, %v; want %v", out, err, want)
			}
			if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), `"H"`) {
				t.Errorf("the error %q quotes data", err)
			}
		})
	}
	reference := contracts.Input{Name: "in", URI: "https://example.org/t.json"}
	for name, tc := range map[string]struct {
		in   contracts.Input
		want error
	}{
		"plain text":   {text("in", "text/plain", "{}"), builtin.ErrNotJSON},
		"broken JSON":  {text("in", "application/json", "{"), builtin.ErrNotJSON},
		"two values":   {text("in", "application/json", "1 2"), builtin.ErrNotJSON},
		"a reference":  {reference, builtin.ErrNoContent},
		"another name": {data("out", "1"), builtin.ErrUnknownInput},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := call(t, builtin.NewJSONQuery(), `{"query":".","input":"inputs.in"}`, tc.in); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
	if _, err := builtin.NewJSONQuery().Call(t.Context(), json.RawMessage(`{"query":".","input":"elements"}`), []contracts.Input{elements}); !errors.Is(err, builtin.ErrUnknownInput) {
		t.Errorf("a name without its prefix gives %v", err)
	}
	if _, err := builtin.NewJSONQuery().Call(t.Context(), json.RawMessage(`5`), nil); !errors.Is(err, tools.ErrArguments) {
		t.Errorf("arguments of another shape give %v", err)
	}
}

func TestJSONQuery_ends(t *testing.T) {
	for _, query := range []string{"last(repeat(1))", "[repeat(1)] | length", "until(false; . )", "last(range(1e18))", "[limit(1e9; repeat([1,2,3]))] | length"} {
		t.Run(query, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			begun := time.Now() //nolint:forbidigo // the test measures
			_, err := builtin.NewJSONQuery().Call(ctx, json.RawMessage(strings.TrimSuffix(args(t, "query", query), "}")+`,"data":1}`), nil)
			if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, builtin.ErrMemory) {
				t.Errorf("got %v, want the deadline's error", err)
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("the call went on for %v", took)
			}
		})
	}
}

func TestJSONQuery_limits(t *testing.T) {
	for query, want := range map[string]struct {
		count     int
		truncated bool
	}{"range(1000)": {1000, false}, "range(1001)": {1000, true}, "repeat(1)": {1000, true}, "range(30) | \"x\" * 10000": {26, true}} {
		got, err := call(t, builtin.NewJSONQuery(), strings.TrimSuffix(args(t, "query", query), "}")+`,"data":1}`)
		if err != nil {
			t.Fatal(err)
		}
		var out struct {
			Count     int  `json:"count"`
			Truncated bool `json:"truncated"`
		}
		if err := json.Unmarshal([]byte(got), &out); err != nil {
			t.Fatal(err)
		}
		if out.Count != want.count || out.Truncated != want.truncated {
			t.Errorf("%s gives %d results, truncated %v; want %+v", query, out.Count, out.Truncated, want)
		}
	}
}
